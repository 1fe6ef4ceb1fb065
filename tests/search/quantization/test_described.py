"""Parameters are read back from their description exactly, and nothing in one is taken on trust."""

import json
from typing import Any

import numpy as np
import pytest

from search.allocation import QuantizerConfig
from search.errors import UnknownQuantizer
from search.errors import UnusableDocument
from search.quantization import catalog
from search.quantization import described
from search.quantization import quantizer
from search.quantization.channels import Channels
from search.quantization.quantizer import Calibration
from tests.contracts.quantizer import histogram_of
from tests.contracts.quantizer import samples

FIELD = "points.3.parameters"
AFFINE = {"scale": 0.1, "zero_point": 3, "quant_min": 0, "quant_max": 7}
CHANNELS = {"axis": 0, "scales": [0.1], "zero_points": [0], "quant_min": -4, "quant_max": 3}
CODEBOOK = {
    "levels": [0.0, 1.0, 2.5],
    "thresholds": [0.5, 2.0],
    "upper_bound": None,
    "low": 0.0,
    "cell_width": 0.25,
    "cells": 12,
}


def read(name: str, bit_width: int, parameters: dict[str, Any]) -> object:
    return described.read(QuantizerConfig(name, bit_width), parameters, field=FIELD)


@pytest.mark.parametrize("bit_width", [1, 3, 8])
@pytest.mark.parametrize("kind", ["heavy tail", "far from zero", "negative", "two values"])
@pytest.mark.parametrize("known", quantizer.registered(), ids=lambda known: known.name)
def test_what_is_read_back_rounds_as_what_was_described(
    known: quantizer.Quantizer, kind: str, *, bit_width: int
) -> None:
    values = samples(kind)
    weight = values[:700].reshape(7, 100)
    calibration = Calibration(
        {"a": histogram_of(values)},
        (bit_width,),
        weights={"a": Channels(lambda: weight)} if known.per_channel else {},
    )
    config = QuantizerConfig(known.name, bit_width)
    fitted = catalog.fit(calibration, "a", config=config)
    document = json.loads(json.dumps(fitted.describe()))
    again = described.read(config, document, field=FIELD)
    assert again.describe() == fitted.describe()
    asked = (weight if known.per_channel else values).astype(np.float64)
    assert (again.quantize(asked) == fitted.quantize(asked)).all()


@pytest.mark.parametrize(
    "name, whole, changes, told",
    [
        ("affine", AFFINE, {"scale": 0}, "scale: 0 does not lie above 0"),
        ("affine", AFFINE, {"scale": "0.1"}, "scale: a finite number"),
        ("affine", AFFINE, {"scale": True}, "scale: a finite number"),
        ("affine", AFFINE, {"scale": 10**400}, "scale: a finite number"),
        ("affine", AFFINE, {"scale": float("nan")}, "scale: a finite number"),
        ("affine", AFFINE, {"zero_point": 8}, "zero_point: a whole number in 0..7"),
        ("affine", AFFINE, {"quant_max": 8}, "quant_max: a whole number in 0..7"),
        ("affine", AFFINE, {"quant_min": 2.0}, "quant_min: a whole number"),
        ("affine", AFFINE, {"quant_min": None}, "quant_min: a whole number"),
        ("affine_per_channel", CHANNELS, {"scales": [0.1, -1]}, "scales: every scale"),
        ("affine_per_channel", CHANNELS, {"scales": []}, "scales: every scale"),
        ("affine_per_channel", CHANNELS, {"scales": 0.1}, "scales: a list"),
        ("affine_per_channel", CHANNELS, {"zero_points": [0, 0]}, "zero_points: a whole number"),
        ("affine_per_channel", CHANNELS, {"zero_points": [4]}, "zero_points: a whole number"),
        ("codebook", CODEBOOK, {"levels": list(range(9))}, "levels: has 9 levels, not 1..8"),
        ("codebook", CODEBOOK, {"levels": []}, "levels: has 0 levels"),
        ("codebook", CODEBOOK, {"levels": [0.0, 2.5, 1.0]}, "levels: the numbers must ascend"),
        ("codebook", CODEBOOK, {"levels": [0.0, "x", 1.0]}, "levels: finite numbers"),
        ("codebook", CODEBOOK, {"thresholds": [0.5]}, "thresholds: one between"),
        ("codebook", CODEBOOK, {"thresholds": [0.0, 2.0]}, "thresholds: one between"),
        ("codebook", CODEBOOK, {"thresholds": [0.5, 3.0]}, "thresholds: one between"),
        ("codebook", CODEBOOK, {"thresholds": [0.5, 0.51]}, "thresholds: one between"),
        ("codebook", CODEBOOK, {"cells": 1 << 40}, "cells: a whole number"),
        ("codebook", CODEBOOK, {"cell_width": 0.0}, "cell_width: 0 does not lie above 0"),
        ("codebook", CODEBOOK, {"low": []}, "low: a finite number"),
        ("codebook", CODEBOOK, {"upper_bound": "6"}, "upper_bound: a finite number"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    name: str, whole: dict[str, Any], *, changes: dict[str, Any], told: str
) -> None:
    assert read(name, 3, whole)
    with pytest.raises(UnusableDocument) as raised:
        read(name, 3, whole | changes)
    assert str(raised.value).startswith(f"{FIELD}.{told}")
    assert raised.value.field.startswith(FIELD)


def test_an_unknown_quantizer_is_no_reason_to_guess() -> None:
    with pytest.raises(UnknownQuantizer):
        read("os.system", 3, AFFINE)
