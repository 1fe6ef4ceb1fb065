"""Who may do what: scopes, tokens, whom a request comes from, and what a tenant may use up."""

from dataclasses import dataclass
from enum import StrEnum

#: whose jobs are those that nobody showed a token for
DEFAULT_TENANT = "default"

#: what a tenant and a token may be called
NAME_PATTERN = r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?"


class Scope(StrEnum):
    """What a token allows; none includes another but `admin`, which includes all."""

    READ = "read"  # see the tenant's jobs, their results, and what can be searched
    SUBMIT = "submit"  # submit and cancel the tenant's jobs
    ADMIN = "admin"  # the same for the jobs of every tenant, and see the service's metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whom a request comes from."""

    tenant: str
    scopes: frozenset[Scope]
    #: None: nobody was asked for a token
    token_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether the scope is granted."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def sees(self) -> str | None:
        """The only tenant whose jobs exist to this principal; None: all do."""
        return None if Scope.ADMIN in self.scopes else self.tenant


#: whoever reaches a service that asks for no token
ANYBODY = Principal(tenant=DEFAULT_TENANT, scopes=frozenset(Scope))


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token: all but its secret. Times are seconds since the epoch."""

    #: part of the token's text, and no secret
    id: str
    tenant: str
    name: str
    scopes: frozenset[Scope]
    created_at: float
    #: None: never
    expires_at: float | None
    revoked_at: float | None
    #: to the hour; None: not yet
    last_used_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a tenant may use; None: no limit."""

    tenant: str
    #: at a time
    queued_jobs: int | None = None
    #: over the days that `quotas.DAYS` says: recorded ones, and the budget of jobs not yet ended
    trials: int | None = None
    #: evaluated over the same days; a job that runs already goes on to its end
    images: int | None = None
    #: the highest that a job may ask for
    priority: int | None = None
