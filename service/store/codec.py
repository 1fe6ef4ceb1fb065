"""Values to JSON documents and back, exactly: decoding what was encoded gives an equal value."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import fields
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.preprocessing import Preprocessing
from search.rules import PointRule
from search.spec import JobSpec
from search.splits import Splits
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store.values import Document
from service.store.values import JobError
from service.store.values import Setup
from service.store.values import Submission
from service.store.webhooks import Event
from service.store.webhooks import Webhook

_SHARED = 4096  # points, and options; a few hundred bytes each
#: reads JSON in a third of the time that Python's own takes
_FAST: TypeAdapter[Any] = TypeAdapter(Any)
_SPEC_FIELDS = tuple(field.name for field in fields(JobSpec))


def dumps(document: object) -> str:
    """Return the document as JSON text; NaN and infinity raise ValueError.

    Text outside ASCII is escaped: PostgreSQL accepts no NUL in text, but does take its escape.
    """
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def loads(text: str | bytes) -> Any:
    """Return the document that `dumps` wrote."""
    try:
        return _FAST.validate_json(text)
    except ValueError:
        # it refuses half of a surrogate pair, as in the name of a file that is no UTF-8
        return json.loads(text)


def digest(*texts: str) -> str:
    """Return 64 hexadecimal digits that stand for these texts in an index."""
    return hashlib.sha256(dumps(texts).encode()).hexdigest()


def spec_document(spec: JobSpec) -> dict[str, Any]:
    """Return the request with every field spelled out: later defaults do not change it."""
    return {
        # not asdict, which copies what is spelled out below: listings write thousands of specs
        **{name: getattr(spec, name) for name in _SPEC_FIELDS},
        "quantizers": list(spec.quantizers),
        "bit_widths": list(spec.bit_widths),
        "splits": None if spec.splits is None else asdict(spec.splits),
        "preprocessing": _preprocessing_document(spec.preprocessing),
        "points": {pattern: _rule_document(rule) for pattern, rule in spec.points},
    }


def _preprocessing_document(value: Preprocessing | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {**asdict(value), "mean": list(value.mean), "std": list(value.std)}


def _preprocessing_of(document: Document | None) -> Preprocessing | None:
    if document is None:
        return None
    lists = {"mean": tuple(document["mean"]), "std": tuple(document["std"])}
    return Preprocessing(**{**document, **lists})


def spec_of(document: Document) -> JobSpec:
    """Return the request of `spec_document`; a field it is too old for gets its default."""
    splits = document.get("splits")
    return JobSpec(
        **{
            **document,
            "quantizers": tuple(document["quantizers"]),
            "bit_widths": tuple(document["bit_widths"]),
            "splits": None if splits is None else Splits(**splits),
            "preprocessing": _preprocessing_of(document.get("preprocessing")),
            # written since there are rules
            "points": tuple(
                (pattern, _rule_of(rule)) for pattern, rule in document.get("points", {}).items()
            ),
        }
    )


def _rule_document(rule: PointRule) -> dict[str, Any]:
    lists = {name: list(said) for name, said in rule.said().items() if isinstance(said, tuple)}
    return rule.said() | lists


def _rule_of(document: Document) -> PointRule:
    lists = {name: tuple(said) for name, said in document.items() if isinstance(said, list)}
    return PointRule(**{**document, **lists})


def submission_document(submission: Submission) -> dict[str, Any]:
    """Return what the client said; tenant, webhook and from_job are columns of their own."""
    return {
        "spec": spec_document(submission.spec),
        "labels": dict(submission.labels),
        "priority": submission.priority,
        "idempotency_key": submission.idempotency_key,
        "fresh": submission.fresh,
    }


def submission_of(document: Document) -> Submission:
    """Return the submission of `submission_document`, with what else the document says."""
    return Submission(**{**document, "spec": spec_of(document["spec"])})


def webhook_document(webhook: Webhook) -> dict[str, Any]:
    """Return {"url", "events"}."""
    return {"url": webhook.url, "events": list(webhook.events)}


def webhook_of(document: Document | None) -> Webhook | None:
    """Return the webhook of `webhook_document`; None where there is none."""
    if document is None:
        return None
    return Webhook(url=document["url"], events=tuple(map(Event, document["events"])))


def allocation_document(allocation: BitAllocation) -> dict[str, Any]:
    """Return point name -> {"quantizer", "bit_width"}, in network order."""
    return {
        point: {"quantizer": config.quantizer, "bit_width": config.bit_width}
        for point, config in allocation.items()
    }


def allocation_of(document: Document) -> BitAllocation:
    """Return the allocation of `allocation_document`."""
    return BitAllocation(
        tuple(
            (point, _config(config["quantizer"], config["bit_width"]))
            for point, config in document.items()
        )
    )


def setup_document(setup: Setup) -> dict[str, Any]:
    """Return the baseline and the points; the histograms are a document of their own."""
    return {
        "baseline": asdict(setup.baseline),
        "points": [asdict(point) for point in setup.points],
        "float_cost": setup.float_cost,
    }


def setup_of(document: Document, histograms: Document) -> Setup:
    """Return the setup of `setup_document` with its histograms."""
    return Setup(
        baseline=Baseline(**document["baseline"]),
        points=tuple(_point_of(point) for point in document["points"]),
        histograms=histograms,
        float_cost=document.get("float_cost"),
    )


def _point_of(document: Document) -> QuantizationPoint:
    # written since weights can be points too
    kind = document.get("kind", Kind.ACTIVATION)
    return _point(document["name"], document["elements"], kind=kind)


# Most jobs are of few networks: what is frozen is shared, which takes a tenth of the time.


@lru_cache(_SHARED)
def _point(name: str, elements: int, *, kind: str) -> QuantizationPoint:
    return QuantizationPoint(name, elements, Kind(kind))


@lru_cache(_SHARED)
def _config(quantizer: str, bit_width: int) -> QuantizerConfig:
    return QuantizerConfig(quantizer, bit_width)


def trial_document(result: TrialResult) -> dict[str, Any]:
    """Return the trial flat, one entry a column."""
    return {
        "number": result.number,
        "origin": result.origin,
        "allocation": allocation_document(result.allocation),
        "memory_bits": result.memory_bits,
        **asdict(result.hits),
        "complete": result.complete,
        "constraint_value": result.constraint,
        "verdict": result.verdict,
    }


def trial_of(document: Mapping[Any, Any]) -> TrialResult:
    """Return the trial of `trial_document`."""
    return TrialResult(
        number=document["number"],
        origin=document["origin"],
        allocation=allocation_of(document["allocation"]),
        memory_bits=document["memory_bits"],
        hits=Hits(**{name: document[name] for name in ("images", "correct", "lost", "gained")}),
        complete=document["complete"],
        constraint=document["constraint_value"],
        verdict=_verdict_of(document),
    )


def _verdict_of(document: Mapping[Any, Any]) -> Verdict:
    if document["verdict"] is not None:
        return Verdict(document["verdict"])
    # a release that knew no verdicts decided on all images only
    held = document["complete"] and document["constraint_value"] <= 0
    return Verdict.HELD if held else Verdict.MISSED


def error_document(error: JobError) -> dict[str, Any]:
    """Return {"code", "message"}."""
    return asdict(error)


def error_of(document: Document) -> JobError:
    """Return the error of `error_document`."""
    return JobError(**document)
