"""What a pipeline asks of a job, that it be certified and meet conditions, and what came of it."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from service.answers import CERTIFIED
from service.answers import Job
from service.cli import conditions
from service.cli import evidence
from service.cli.conditions import Condition
from service.cli.junit import Case
from service.cli.junit import Fault
from service.cli.junit import Suite
from service.cli.watch import outcome
from service.store.values import JobState
from service.words import percent

CERTIFICATE = "certificate"


def certificate(best: Mapping[str, Any]) -> Case:
    """Return whether the best document says that it was certified to hold the floor."""
    checked = best["certification"]
    judgement = checked.get("judgement")
    details = tuple(evidence.lines(best))
    if judgement == CERTIFIED:
        return Case(name=CERTIFICATE, details=details)
    told = "not known to be certified" if judgement is None else str(judgement)
    why = (
        f"{told}: accuracy {percent(checked['accuracy'], 2)} on {checked['images']} images, "
        f"floor {percent(checked['floor'], 2)}"
    )
    return Case(name=CERTIFICATE, fault="failure", why=why, details=details)


def condition(wanted: Condition, best: Mapping[str, Any]) -> Case:
    """Return whether the best document meets the condition."""
    if wanted.holds(best):
        return Case(name=str(wanted))
    value = wanted.value(best)
    told = "not in this result" if value is None else f"{value:g}"
    return Case(name=str(wanted), fault="failure", why=f"{wanted.field} is {told}")


def suite(
    job: Job,
    best: Mapping[str, Any] | None,
    *,
    wanted: Sequence[Condition],
    why_none: str | None = None,
) -> Suite:
    """Return all that was asked of the job; without a best document, why there is none."""
    if best is None:
        why = why_none or outcome(job)
        # infeasible is an answer; from all other ends none can be told
        infeasible = job.state is JobState.INFEASIBLE
        fault: Fault = "failure" if infeasible else "error"
        cases = [Case(name=CERTIFICATE, fault=fault, why=why)]
        cases += [Case(name=str(one), fault="skipped", why=why) for one in wanted]
    else:
        cases = [certificate(best), *(condition(one, best) for one in wanted)]
    started, finished = job.started_at or job.created_at, job.finished_at
    return Suite(
        name=f"bitfloor {job.spec.get('model')} on {job.spec.get('dataset')}",
        cases=cases,
        properties={**_facts(job), **figures(best or {})},
        seconds=(finished - started).total_seconds() if finished else 0.0,
        at=started,
    )


def figures(best: Mapping[str, Any]) -> dict[str, str]:
    """Return what conditions may name, of what the document has."""
    named = {field: Condition(field, ">=", 0).value(best) for field in conditions.FIELDS}
    return {field: f"{value:.12g}" for field, value in named.items() if value is not None}


def _facts(job: Job) -> dict[str, object]:
    asked = ("model", "weights", "dataset", "metric", "target", "objective", "seed")
    return {
        "job": job.id,
        "state": job.state.value,
        **{name: job.spec[name] for name in asked if job.spec.get(name) is not None},
        **{f"label.{name}": value for name, value in job.labels.items()},
    }
