"""What an operator may choose about the service, as one frozen value."""

from dataclasses import dataclass

from service.webhooks.allowlist import AllowedHost

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the application behaves; `service.settings` says how each is set."""

    max_body_bytes: int = 1024 * 1024
    #: seconds in which a request's body must have arrived
    body_seconds: float = 30.0
    #: seconds between two looks at the database for each client that follows a job
    poll_seconds: float = 1.0
    #: nobody is answered without a token, but for health and documentation
    require_tokens: bool = False
    #: what a client may call this host; None: anything
    allowed_hosts: tuple[str, ...] | None = None
    #: pages of other origins whose scripts may use the API with a token
    cors_origins: tuple[str, ...] = ()
    #: requests a minute from one token, or from one address where none is shown
    requests_per_minute: int = 6_000
    #: wrong tokens a minute from one address
    guesses_per_minute: int = 20
    #: seconds for which a browser stays signed in
    session_seconds: float = 12 * 3600.0
    #: seconds within which an answer must begin
    answer_seconds: float = 60.0
    #: where webhooks may go; none given: nowhere
    webhook_hosts: tuple[AllowedHost, ...] = ()
