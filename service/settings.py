"""What the API reads from its environment beside the options of the command that starts it."""

from pydantic import Field
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict


class Settings(BaseSettings):
    """Read `BITFLOOR_<FIELD>`; only entry points may construct it."""

    model_config = SettingsConfigDict(env_prefix="BITFLOOR_", frozen=True)

    #: largest request body, bytes
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    #: seconds in which a request's body must have arrived
    body_seconds: float = Field(default=30.0, gt=0)
    #: seconds in which a request's head must have arrived
    head_seconds: float = Field(default=10.0, gt=0)
    #: seconds in which a client must have read something of an answer that waits for it
    unread_seconds: float = Field(default=30.0, gt=0)
    #: connections at once
    max_connections: int = Field(default=512, gt=0)
    #: seconds between two looks at the database for each client that follows a job
    follow_seconds: float = Field(default=1.0, gt=0)
