"""Whether a search can start from an earlier job, as far as names and states tell."""

from collections.abc import Iterator

from sqlalchemy import Engine

from search.spec import JobSpec
from service.api.errors import CannotStartFrom
from service.store import starts
from service.store.errors import JobNotFound
from service.store.values import Submission

#: fields of a request that decide what is evaluated, and on which images
COMPARED = ("model", "weights", "dataset", "metric", "seed", "splits", "preprocessing")


def require(engine: Engine, submission: Submission) -> None:
    """Raise CannotStartFrom unless the job that is named, if one is, can be started from.

    It has to be the tenant's own, to have ended, and to be of a request that names the same model
    and images. Whether they still are the same is for a worker to see.
    """
    if submission.from_job is None:
        return
    try:
        earlier, begun = starts.candidate(engine, submission.from_job, tenant=submission.tenant)
    except JobNotFound:
        raise CannotStartFrom(
            submission.from_job[:80], "there is no such job; name one of yours"
        ) from None
    if not earlier.state.final:
        raise CannotStartFrom(earlier.id, f"it is {earlier.state.value}; wait until it has ended")
    if not begun:
        raise CannotStartFrom(earlier.id, "it ended before its search began; leave from_job out")
    differing = [*_differing(submission.spec, earlier.submission.spec)]
    if differing:
        remedy = "ask for the same, or leave from_job out"
        raise CannotStartFrom(earlier.id, f"{', '.join(differing)}; {remedy}")


def _differing(asked: JobSpec, earlier: JobSpec) -> Iterator[str]:
    for name in COMPARED:
        if getattr(asked, name) != getattr(earlier, name):
            yield f"its {name} is {_said(earlier, name)} and not {_said(asked, name)}"


def _said(spec: JobSpec, name: str) -> str:
    value = getattr(spec, name)
    return "left out" if value is None else str(value)[:200]
