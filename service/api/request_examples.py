"""Examples of what clients send, for the OpenAPI document: each is taken as it stands."""

from collections.abc import Mapping
from typing import Any

from service.api.examples import DELIVERY_ID
from service.api.examples import JOB_ID

#: operation -> name -> a sentence about it, and the body
BODIES: Mapping[str, Mapping[str, tuple[str, dict[str, Any]]]] = {
    "POST /v1/jobs": {
        "smallest": (
            "The three fields that a search cannot do without",
            {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02},
        ),
        "own-network": (
            "A published architecture with weights and photographs of yours",
            {
                "model": "torchvision/resnet18",
                "weights": "team/resnet18.safetensors",
                "dataset": "folder/products",
                "tolerance": 0.01,
                "metric": "top5",
                "splits": {"calibration": 256, "search": 2000, "certification": 4000},
                "labels": {"team": "vision", "commit": "9c1d2f0"},
            },
        ),
        "hardware": (
            "Only what an accelerator can store, its first layer at 8 bits",
            {
                "model": "digits-vgg",
                "dataset": "digits",
                "tolerance": 0.02,
                "quantizers": ["affine", "affine_mse"],
                "bit_widths": [2, 4, 8],
                "points": {"features.0": {"bit_widths": [8]}},
                "target": "both",
                "objective": "total_memory",
                "budget": 200,
            },
        ),
        "whole-front": (
            "Accuracy against memory over the whole range",
            {
                "model": "digits-vgg",
                "dataset": "digits",
                "tolerance": 0.02,
                "goal": "front",
                "budget": 200,
            },
        ),
        "from-earlier": (
            "Another tolerance, from what an earlier job has evaluated",
            {
                "model": "digits-vgg",
                "dataset": "digits",
                "tolerance": 0.005,
                "from_job": JOB_ID,
            },
        ),
        "webhook": (
            "Sooner than others, and with word to a pipeline once it has ended",
            {
                "model": "digits-vgg",
                "dataset": "digits",
                "tolerance": 0.02,
                "priority": 10,
                "webhook": {"url": "https://ci.example.com/bitfloor"},
            },
        ),
    },
    "POST /v1/jobs/{job_id}/priority": {
        "sooner": ("Before all jobs of a lower priority", {"priority": 10}),
    },
}

#: parameter -> what one looks like
PARAMETERS: Mapping[str, Any] = {
    "job_id": JOB_ID,
    "delivery_id": DELIVERY_ID,
    "limit": 20,
    "cursor": "eyJhIjoxNzcyMzU3NDAwLjB9",
    "state": "running",
    "label": "team:vision",
    "idempotency-key": "build-1871",
    "if-none-match": '"5d41402abc4b2a76b9719d911017c592"',
    "last-event-id": "41",
}
