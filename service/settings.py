"""What the API reads from its environment beside the options of the command that starts it."""

from pathlib import Path

from pydantic import Field
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsConfigDict


class Settings(BaseSettings):
    """Read `BITFLOOR_<FIELD>`; only entry points may construct it."""

    model_config = SettingsConfigDict(env_prefix="BITFLOOR_", frozen=True)

    #: largest request body, bytes
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    #: seconds between two looks at the database for each client that follows a job
    follow_seconds: float = Field(default=1.0, gt=0)
    #: what clients may call this host, between commas; none given: on loopback its names, else any
    allowed_hosts: str = ""
    #: origins of pages that may use the API, between commas, such as https://tools.example.com
    cors_origins: str = ""
    #: requests a minute from one token, or from one address where none is shown
    requests_per_minute: int = Field(default=6_000, gt=0)
    #: wrong tokens a minute from one address
    guesses_per_minute: int = Field(default=20, gt=0)
    #: hours for which a browser stays signed in
    session_hours: float = Field(default=12.0, gt=0)
    #: seconds within which an answer must begin
    answer_seconds: float = Field(default=60.0, gt=0)

    #: hosts that webhooks may go to, between commas; none given: no webhook is taken
    webhook_hosts: str = ""
    #: what webhooks are signed with; during a rotation the new one, a space and the old one
    webhook_secret: SecretStr | None = None
    #: a file that holds it
    webhook_secret_file: Path | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of hosts, in lower case."""
        return tuple(name.lower() for name in _listed(self.allowed_hosts))

    @property
    def origins(self) -> tuple[str, ...]:
        """Scheme, host and port, without a slash at the end."""
        return tuple(origin.rstrip("/") for origin in _listed(self.cors_origins))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
