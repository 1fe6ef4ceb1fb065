"""An example of every answer that is no problem, for the OpenAPI document."""

import json
from collections.abc import Mapping
from typing import Any

from service.api.examples import BEST
from service.api.examples import DELIVERY_ID
from service.api.examples import JOB
from service.api.examples import JOB_ID
from service.api.examples import TRIAL
from service.store import cursors

_QUEUED: dict[str, Any] = JOB | {
    "state": "queued",
    "stage": "",
    "attempt": 0,
    "started_at": None,
    "progress": {
        "trials": 0,
        "budget": 120,
        "images_evaluated": 0,
        "float_accuracy": None,
        "floor": None,
        "best": None,
    },
}
_CANCELLED: dict[str, Any] = _QUEUED | {
    "state": "cancelled",
    "finished_at": "2026-03-01T09:30:01Z",
}
_FRONT: dict[str, Any] = {
    "float_accuracy": 0.581,
    "floor": 0.571,
    "images": 2000,
    "objective": "activation_memory",
    "goal": "floor",
    "hypervolume": 0.71,
    "points": [{"name": "features.0", "elements": 788544, "kind": "activation"}],
    "front": [TRIAL],
}
_DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "event": "succeeded",
    "state": "pending",
    "happened_at": "2026-03-01T09:41:07Z",
    "tries": 1,
    "last_try_at": "2026-03-01T09:41:08Z",
    "next_try_at": "2026-03-01T09:41:13Z",
    "delivered_at": None,
    "status": 503,
    "error": "the receiver answered 503",
}
_RESENT: dict[str, Any] = _DELIVERY | {
    "tries": 0,
    "next_try_at": "2026-03-01T10:05:00Z",
    "status": None,
    "error": None,
}
_MODEL: dict[str, Any] = {
    "name": "torchvision/squeezenet1_1",
    "input_shape": [3, 224, 224],
    "classes": 1000,
    "weights": ["IMAGENET1K_V1"],
}


def _event(name: str, data: Mapping[str, Any], *, number: int) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


_EVENTS = "".join(
    (
        _event("trial", TRIAL, number=37),
        _event("job", JOB, number=37),
        _event("end", {"state": "succeeded"}, number=119),
    )
)
_REPORT = '<!doctype html>\n<html lang="en">\n<head><title>torchvision/squeezenet1_1</title> ...'
_METRICS = 'bitfloor_jobs{state="queued"} 3.0\nbitfloor_trials_total 1204.0\n'
_OPENMETRICS = f"{_METRICS}# EOF\n"

#: operation -> status -> media type -> the answer
ANSWERS: Mapping[str, Mapping[int, Mapping[str, Any]]] = {
    "GET /v1/models": {200: {"application/json": {"items": [_MODEL]}}},
    "GET /v1/datasets": {
        200: {"application/json": {"items": [{"name": "folder/products", "images": 12000}]}}
    },
    "GET /v1/quantizers": {
        200: {
            "application/json": {
                "items": [
                    {
                        "name": "affine",
                        "summary": "evenly spaced levels from the smallest to the largest value",
                        "keeps_zero": True,
                        "kinds": ["activation"],
                    }
                ]
            }
        }
    },
    "GET /v1/samplers": {200: {"application/json": {"items": [{"name": "tpe"}]}}},
    "POST /v1/jobs": {
        200: {"application/json": JOB},
        202: {"application/json": _QUEUED},
    },
    "POST /v1/jobs/{job_id}/priority": {200: {"application/json": _QUEUED | {"priority": 10}}},
    "POST /v1/jobs/{job_id}/cancel": {202: {"application/json": _CANCELLED}},
    "GET /v1/jobs": {
        200: {
            "application/json": {
                "items": [JOB],
                "next": cursors.encode(1772357400.0, JOB_ID),
            }
        }
    },
    "GET /v1/jobs/{job_id}": {200: {"application/json": JOB}},
    "GET /v1/jobs/{job_id}/events": {200: {"text/event-stream": _EVENTS}},
    "GET /v1/jobs/{job_id}/trials": {
        200: {"application/json": {"items": [TRIAL], "next": cursors.encode(37)}}
    },
    "GET /v1/jobs/{job_id}/best": {200: {"application/json": BEST}},
    "GET /v1/jobs/{job_id}/front": {200: {"application/json": _FRONT}},
    "GET /v1/jobs/{job_id}/report": {200: {"text/html": _REPORT}},
    "GET /v1/jobs/{job_id}/deliveries": {200: {"application/json": {"items": [_DELIVERY]}}},
    "POST /v1/jobs/{job_id}/deliveries/{delivery_id}/resend": {202: {"application/json": _RESENT}},
    "GET /livez": {200: {"application/json": {"status": "alive"}}},
    "GET /readyz": {200: {"application/json": {"status": "ready"}}},
    "GET /metrics": {200: {"text/plain": _METRICS, "application/openmetrics-text": _OPENMETRICS}},
}

#: header of an answer -> what it tells, and what one looks like
HEADERS: Mapping[str, tuple[str, str]] = {
    "Location": ("Where the job is.", f"/v1/jobs/{JOB_ID}"),
    "ETag": ("Names these bytes; send it as If-None-Match.", '"5d41402abc4b2a76b9719d911017c592"'),
    "Retry-After": ("Seconds to wait before the next try.", "5"),
    "WWW-Authenticate": ("How to sign in.", 'Bearer realm="bitfloor"'),
    "Connection": ("Nothing more is listened to on this connection.", "close"),
    "Allow": ("Methods that the path takes.", "GET, POST"),
}
