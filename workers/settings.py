"""How a worker runs; read from the environment once, in the entry point."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict

#: of every variable that is ours
PREFIX = "BITFLOOR_"


class WorkerSettings(BaseSettings):
    """Environment variables BITFLOOR_*; options of the command line come first."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    #: sqlite:///FILE or postgresql://USER@HOST/NAME
    database_url: str = "sqlite:///bitfloor-data/bitfloor.db"
    #: the folder whose files a request may name as weights or programs
    model_root: Path = Path("bitfloor-data/models")
    #: the folder whose datasets a request may name
    data_root: Path = Path("bitfloor-data/datasets")
    #: decoded images; may be deleted while no job runs
    cache_dir: Path = Path("bitfloor-data/cache")
    #: seconds a job stays this worker's without a sign of life
    lease_seconds: float = Field(default=30.0, gt=0)
    #: seconds between looks at an empty queue
    poll_seconds: float = Field(default=1.0, gt=0)
    #: seconds between signs of life; also how soon a cancellation is noticed
    heartbeat_seconds: float = Field(default=2.0, gt=0)
    #: seconds that loading, capturing or calibrating may take
    setup_timeout: float = Field(default=3600.0, gt=0)
    #: images evaluated at once, which is one round of a trial
    batch: int = Field(default=128, ge=1)
    #: "auto" takes CUDA if there is one
    device: str = "auto"


class MetricsSettings(BaseSettings):
    """Environment variables BITFLOOR_METRICS_*: where the worker answers Prometheus."""

    model_config = SettingsConfigDict(
        env_prefix="BITFLOOR_METRICS_", frozen=True, env_ignore_empty=True
    )

    #: there is no login: whoever reaches the port reads the figures
    host: str = "127.0.0.1"
    #: None: nowhere; 0 finds a free one
    port: int | None = Field(default=None, ge=0, le=65535)


class RaySettings(BaseSettings):
    """Environment variables BITFLOOR_RAY_*; options of the command line come first."""

    model_config = SettingsConfigDict(
        env_prefix="BITFLOOR_RAY_", frozen=True, env_ignore_empty=True
    )

    #: HOST:PORT, ray://HOST:PORT, or auto; None: no cluster is used
    address: str | None = None
    #: GPUs for each evaluator, shares of one allowed; None: one each if the cluster has any
    gpus: float | None = Field(default=None, ge=0)
    #: CPU cores for each evaluator
    cpus: float = Field(default=1.0, gt=0)
    #: seconds that a job waits for the others once it has an evaluator, before it begins with fewer
    patience: float = Field(default=60.0, gt=0)
