"""What the API reads from its environment beside the options of the command that starts it."""

from pydantic import Field
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict


class Settings(BaseSettings):
    """Read `BITFLOOR_<FIELD>`; only entry points may construct it."""

    model_config = SettingsConfigDict(env_prefix="BITFLOOR_", frozen=True)

    #: largest request body, bytes
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    #: seconds between two looks at the database for each client that follows a job
    follow_seconds: float = Field(default=1.0, gt=0)
