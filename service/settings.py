"""What the service reads from its environment, once, into one frozen object."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict


class Settings(BaseSettings):
    """Read `BITFLOOR_<FIELD>`; only entry points may construct it."""

    model_config = SettingsConfigDict(env_prefix="BITFLOOR_", frozen=True)

    #: SQLite or PostgreSQL; None means SQLite under `data_dir`
    database_url: str | None = None
    #: where the embedded database and downloaded files live
    data_dir: Path = Path("bitfloor-data")
    #: further models that a local worker may load; None means `data_dir`/models
    model_dir: Path | None = None
    #: loopback unless told otherwise: there is no login
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=1, le=65535)
    #: a worker that has not reported for so long has lost its job
    lease_seconds: float = Field(default=30.0, gt=0)
    #: largest request body, bytes
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    #: between two looks at the database for each client that follows a job
    poll_seconds: float = Field(default=1.0, gt=0)

    @property
    def store_url(self) -> str:
        """The database to use, embedded unless one was named."""
        return self.database_url or f"sqlite:///{self.data_dir / 'bitfloor.db'}"
