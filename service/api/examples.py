"""Examples of answers for the OpenAPI document: a job as it stands and a certified best."""

from typing import Any

from service.api.submission import DEFAULT_SAMPLER

JOB: dict[str, Any] = {
    "id": "0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11",
    "state": "running",
    "stage": "searching",
    "spec": {
        "model": "torchvision/squeezenet1_1",
        "weights": "IMAGENET1K_V1",
        "dataset": "imagenet-sample",
        "tolerance": 0.01,
        "quantizers": ["affine", "codebook_bounded"],
        "bit_widths": [1, 2, 3, 4, 5, 6, 7, 8],
        "points": {"classifier.1": {"bit_widths": [8]}},
        "target": "activations",
        "tie": "none",
        "objective": None,
        "goal": "floor",
        "confidence": 0.95,
        "sampler": DEFAULT_SAMPLER,
        "budget": 120,
        "seed": 0,
        "trial_timeout": 600.0,
        "metric": "top1",
        "splits": None,
        "preprocessing": None,
    },
    "labels": {"team": "vision"},
    "tenant": "vision",
    "priority": 0,
    "webhook": {"url": "https://ci.example.com/bitfloor", "events": ["succeeded", "failed"]},
    "attempt": 1,
    "created_at": "2026-03-01T09:30:00Z",
    "started_at": "2026-03-01T09:30:02Z",
    "finished_at": None,
    "progress": {
        "trials": 41,
        "budget": 120,
        "images_evaluated": 61440,
        "float_accuracy": 0.581,
        "floor": 0.571,
        "best": {
            "trial": 37,
            "saved": 0.86,
            "average_bits": 4.4,
            "accuracy": 0.5745,
            "memory_bytes": 1024000,
        },
    },
    "error": None,
    "infeasible": None,
    "links": {
        "self": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11",
        "trials": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/trials",
        "front": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/front",
        "best": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/best",
        "events": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/events",
        "report": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/report",
        "deliveries": "/v1/jobs/0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11/deliveries",
        "dashboard": "/dashboard/studies/2203487213904411",
    },
}

BEST: dict[str, Any] = {
    "format": 1,
    "model": "squeezenet1_1",
    "dataset": "imagenet-sample",
    "tolerance": 0.01,
    "metric": "top1",
    "trial": 37,
    "memory_bytes": 1024000,
    "float_memory_bytes": 7314286,
    "saved": 0.86,
    "certification": {
        "images": 4000,
        "float_accuracy": 0.581,
        "floor": 0.571,
        "accuracy": 0.5795,
        "drop": 0.0015,
        "drop_upper_bound": 0.0087,
        "confidence": 0.95,
        "gap": -0.0021,
        "holds": True,
        "judgement": "certified",
        "p_value": 0.021,
        "others": [
            {
                "trial": 41,
                "saved": 0.871,
                "images": 4000,
                "accuracy": 0.5709,
                "drop": 0.0101,
                "judgement": "undecided",
                "p_value": 0.52,
                "images_needed": None,
            }
        ],
    },
    "points": [
        {
            "name": "features.0",
            "kind": "activation",
            "elements": 788544,
            "quantizer": "affine",
            "bit_width": 4,
            "parameters": {"scale": 0.31, "zero_point": 0, "quant_min": 0, "quant_max": 15},
        }
    ],
}
