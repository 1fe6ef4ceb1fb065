"""How a worker uses a Ray cluster; read from the environment once, in the entry point."""

from pydantic import Field
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict


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
    #: seconds to wait for all the evaluators that a job wants, before it is begun with fewer
    patience: float = Field(default=60.0, gt=0)
