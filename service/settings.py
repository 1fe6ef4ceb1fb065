"""What servers and workers read from their environment beside the options of their commands."""

from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal

from pydantic import BeforeValidator
from pydantic import Field
from pydantic import SecretStr
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

    #: decoded images, of `bitfloor up` and its worker; None: cache under the data folder
    cache_dir: Path | None = None

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


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class LogSettings(BaseSettings):
    """Read `BITFLOOR_<FIELD>`: how every process of ours writes its log."""

    model_config = SettingsConfigDict(env_prefix="BITFLOOR_", frozen=True, env_ignore_empty=True)

    #: None: console on a terminal, else logfmt
    log_format: Annotated[Literal["console", "logfmt", "json"] | None, BeforeValidator(_lower)] = (
        None
    )
    #: the least that is written; None: what suits the command
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, BeforeValidator(_lower)
    ] = None


class TraceSettings(BaseSettings):
    """Read what turns traces on of OpenTelemetry's variables; its SDK reads all others itself."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", frozen=True, env_ignore_empty=True)

    exporter_otlp_endpoint: str | None = None
    exporter_otlp_traces_endpoint: str | None = None
    traces_exporter: str = "otlp"
    sdk_disabled: str = "false"

    @property
    def wanted(self) -> bool:
        """Traces have somewhere to go, and nobody turned them off."""
        endpoint = self.exporter_otlp_traces_endpoint or self.exporter_otlp_endpoint
        off = self.sdk_disabled.lower() == "true" or self.traces_exporter.lower() == "none"
        return bool(endpoint) and not off
