"""Every error a client can meet, in one table: RFC 9457 problem documents, never a traceback."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from starlette.responses import JSONResponse

from search.errors import InvalidSpec
from service.api.errors import CannotStartFrom
from service.api.errors import CrossOrigin
from service.api.errors import DashboardIsReadOnly
from service.api.errors import NoAnswerInTime
from service.api.errors import NoBestYet
from service.api.errors import NothingFeasible
from service.api.errors import NoWorkerYet
from service.api.errors import ScopeMissing
from service.api.errors import TooManyRequests
from service.api.errors import Unauthenticated
from service.api.errors import UnknownName
from service.api.errors import UnknownRoute
from service.api.errors import WrongHost
from service.store.errors import BadCursor
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import DatabaseUnreachable
from service.store.errors import DeliveryNotFound
from service.store.errors import DeliveryPending
from service.store.errors import IdempotencyConflict
from service.store.errors import JobAlreadyFinal
from service.store.errors import JobNotFound
from service.store.errors import QuotaExceeded
from service.store.errors import SchemaOutdated
from service.store.errors import TrialNotFound
from service.webhooks.errors import UrlRefused

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:bitfloor:problem:"

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One row: what an exception looks like from outside."""

    status: int
    #: stable and kebab-case; clients branch on it
    code: str
    title: str
    #: the detail when the exception's own sentence is not meant for clients
    detail: str | None = None
    #: extension members, from the exception
    members: Callable[[Any], Members] = lambda _: {}
    headers: Mapping[str, str] = field(default_factory=dict)
    #: headers from the exception
    told: Callable[[Any], Mapping[str, str]] = lambda _: {}
    #: names of those headers
    also: tuple[str, ...] = ()
    #: extension members as the OpenAPI document shows them
    example: Members = field(default_factory=dict)


def _field(error: Any) -> Members:
    return {"errors": [{"field": error.field, "message": str(error)}]}


def _known(error: UnknownName) -> Members:
    told = {"field": error.field, "message": str(error), "known": list(error.known)}
    return {"errors": [told]}


def _closest(error: NothingFeasible) -> Members:
    told = ("closest", "shortfall", "blame", "floor", "float_accuracy")
    return {"state": "infeasible"} | {k: error.result[k] for k in told if k in error.result}


_SOON = {"Retry-After": "5"}
_CLOSE = {"Connection": "close"}  # whoever goes on sending is not listened to

NOT_JSON = Problem(400, "not-json", "The body is not JSON")
WRONG_MEDIA_TYPE = Problem(415, "unsupported-media-type", "The body is not declared as JSON")
INVALID = Problem(
    422,
    "validation-failed",
    "The request cannot be used as it stands",
    example={"errors": [{"field": "tolerance", "message": "input should be less than 1"}]},
)
TOO_LARGE = Problem(413, "body-too-large", "The body is too large")
TOO_SLOW = Problem(408, "request-too-slow", "The request did not arrive in time", headers=_CLOSE)
TOO_MANY = Problem(503, "too-many-connections", "There are too many connections", headers=_SOON)
MALFORMED = Problem(400, "not-http", "The request is not HTTP")
WRONG_METHOD = Problem(405, "method-not-allowed", "The method is not allowed here")
INTERNAL = Problem(
    500, "internal-error", "Something went wrong here", "the cause is in the service's log"
)

TABLE: Mapping[type[Exception], Problem] = {
    JobNotFound: Problem(404, "job-not-found", "There is no such job"),
    TrialNotFound: Problem(404, "trial-not-found", "There is no such trial"),
    NoBestYet: Problem(
        404,
        "no-best-yet",
        "There is no best allocation",
        members=lambda error: {"state": error.state.value},
        example={"state": "running"},
    ),
    NothingFeasible: Problem(
        404,
        "infeasible",
        "No allocation holds the accuracy floor",
        members=_closest,
        example={
            "state": "infeasible",
            "closest": {"trial": 12, "saved": 0.5, "accuracy": 0.568},
            "shortfall": 0.003,
            "blame": [{"point": "features.0", "recovered": 0.004}],
        },
    ),
    DeliveryNotFound: Problem(404, "delivery-not-found", "There is no such delivery"),
    DeliveryPending: Problem(409, "delivery-pending", "The delivery is still to be tried"),
    UnknownRoute: Problem(404, "not-found", "Nothing answers at this path"),
    DashboardIsReadOnly: Problem(
        403,
        "dashboard-read-only",
        "The dashboard is read-only",
        # where the dashboard's page looks for a sentence
        members=lambda error: {"reason": str(error)},
    ),
    JobAlreadyFinal: Problem(
        409,
        "job-already-final",
        "The job has already ended",
        members=lambda error: {"state": error.state.value},
        example={"state": "succeeded"},
    ),
    IdempotencyConflict: Problem(
        409,
        "idempotency-conflict",
        "The idempotency key stands for another submission",
        members=lambda error: {"job": error.job_id},
        example={"job": "0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11"},
    ),
    Unauthenticated: Problem(
        401,
        "unauthenticated",
        "A token is needed that is known",
        headers={"WWW-Authenticate": 'Bearer realm="bitfloor"'},
    ),
    ScopeMissing: Problem(
        403,
        "scope-missing",
        "The token does not allow this",
        members=lambda error: {"scope": error.scope.value},
        example={"scope": "submit"},
    ),
    TooManyRequests: Problem(
        429,
        "too-many-requests",
        "More requests than a minute may hold",
        told=lambda error: {"Retry-After": str(error.wait)},
        also=("Retry-After",),
    ),
    QuotaExceeded: Problem(
        429,
        "quota-exceeded",
        "The tenant has no room for this",
        members=lambda error: {"quota": error.quota, "limit": error.limit},
        example={"quota": "queued_jobs", "limit": 100},
    ),
    WrongHost: Problem(421, "wrong-host", "The request is for another host"),
    CrossOrigin: Problem(403, "cross-origin", "Another origin may change nothing"),
    NoAnswerInTime: Problem(504, "no-answer-in-time", "There was no answer in time"),
    BadCursor: Problem(400, "bad-cursor", "The cursor is not from this listing"),
    UnknownName: Problem(
        422,
        "unknown-name",
        "No worker offers that",
        members=_known,
        example={
            "errors": [
                {
                    "field": "model",
                    "message": "no worker offers 'resnet'; offered are squeezenet1_1",
                    "known": ["squeezenet1_1"],
                }
            ]
        },
    ),
    UrlRefused: Problem(422, "webhook-refused", "No webhook may go there", members=_field),
    CannotStartFrom: Problem(422, "cannot-start-from", "No search starts there", members=_field),
    InvalidSpec: Problem(INVALID.status, INVALID.code, INVALID.title, members=_field),
    NoWorkerYet: Problem(503, "no-worker-yet", "No worker has announced itself yet", headers=_SOON),
    DatabaseBusy: Problem(
        503,
        "database-busy",
        "The database is busy",
        "the database was locked for too long; try again shortly",
        headers=_SOON,
    ),
    DatabaseFull: Problem(
        503,
        "database-full",
        "The database has no room left",
        "its disk is full and nothing was stored; try again once its operator has freed some room",
        headers={"Retry-After": "30"},
    ),
    SchemaOutdated: Problem(
        503, "schema-outdated", "The database schema is not that of this version"
    ),
    DatabaseUnreachable: Problem(
        503,
        "database-unreachable",
        "The database does not answer",
        # the exception's sentence names the host, which is the operator's business
        "the service cannot reach its database; try again shortly",
        headers=_SOON,
    ),
}


def document(problem: Problem, detail: str, *, members: Members | None = None) -> dict[str, Any]:
    """Return the problem as RFC 9457 lays it out."""
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        **(members or {}),
    }


def response(problem: Problem, detail: str, *, members: Members | None = None) -> JSONResponse:
    """Return the answer that carries the problem."""
    return JSONResponse(
        document(problem, detail, members=members),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type=MEDIA_TYPE,
    )


def of(error: Exception) -> JSONResponse:
    """Return the answer for an exception of the table, or of a subclass."""
    row = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)
    answer = response(row, row.detail or str(error), members=row.members(error))
    answer.headers.update(row.told(error))
    return answer
