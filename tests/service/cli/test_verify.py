"""`bitfloor verify`: what a file must say before torch is loaded, and how the verdict is told."""

import copy
import json
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from service.cli import junit
from service.cli import verify
from service.cli.errors import ExitStatus
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.cli.conftest import Bitfloor

GIVE = "; give it what 'bitfloor best ID --format json' prints\n"


def changed(*path: str | int, value: object) -> dict[str, Any]:
    """Return the best document with one value changed; None takes it out."""
    document = copy.deepcopy(BEST_DOCUMENT)
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


class TestFile:
    @pytest.fixture
    def told(self, run: Bitfloor, tmp_path: Path) -> Any:
        """Return a function that returns the one line about a file that cannot be used."""
        path = tmp_path / "best.json"

        def line(content: bytes) -> str:
            path.write_bytes(content)
            ended = run("verify", str(path))
            assert (ended.status, ended.out) == (ExitStatus.USAGE, "")
            start = f"error: {path}: "
            assert ended.err.startswith(start)
            assert ended.err.endswith(GIVE)
            assert ended.err.count("\n") == 1
            return ended.err.removeprefix(start).removesuffix(GIVE)

        return line

    @pytest.mark.parametrize(
        "document, field",
        [
            (changed("spec", value=None), "spec: field required"),
            (changed("format", value=2), "format: input should be 1"),
            (changed("points", value=[]), "points: "),
            (changed("points", 1, "elements", value="4"), "points.1.elements: "),
            (changed("points", 1, "bit_width", value=99), "points.1: bit_width 99 is not in 1..16"),
            (changed("points", 0, "kind", value="gradient"), "points.0.kind: "),
            (changed("points", 2, "parameters", value=[]), "points.2.parameters: "),
            (changed("certification", value=None), "certification: field required"),
            (changed("certification", "lost", value=-1), "certification.lost: "),
            (changed("certification", "p_value", value=True), "certification.p_value: "),
            (changed("search", "images", value=0), "search.images: "),
            (changed("memory_bytes", value="3392"), "memory_bytes: "),
            (changed("memory_bytes", value=0), "memory_bytes: "),
            (changed("tolerance", value=0.5), "tolerance is not what spec.tolerance says"),
            (changed("spec", "model", value="../../x" * 99), "spec.model: "),
            (changed("spec", "tolerance", value=2), "spec.tolerance: "),
            (changed("spec", "code", value="import os"), "spec.code: "),
            (changed("spec", "objective", value="weight_memory"), "spec.objective: "),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_wrong_field_is_named(self, told: Any, document: dict[str, Any], field: str) -> None:
        assert told(json.dumps(document).encode()).startswith(field)

    def test_points_that_are_all_in_float32_are_nothing_to_verify(self, told: Any) -> None:
        document = copy.deepcopy(BEST_DOCUMENT)
        for point in document["points"]:
            point |= {"quantizer": None, "bit_width": 32, "parameters": {}}
        assert told(json.dumps(document).encode()) == "points: none of them is quantized"

    def test_wherever_it_is_cut_off_it_is_no_document(self, told: Any) -> None:
        whole = json.dumps(BEST_DOCUMENT).encode()
        for end in range(0, len(whole), 97):
            assert told(whole[:end]).startswith("is no JSON document (")

    @pytest.mark.parametrize(
        "content, why",
        [
            (b"[" * 100_000, "is nested too deeply"),
            (b"[1, 2]", "holds a list, no best document"),
            (b'"best"', "holds a str, no best document"),
            (b"\xff\xfe\x00", "is no JSON document ("),
            (b'{"format": NaN}', "is no JSON document (NaN is no finite number)"),
            (b'{"format": ' + b"9" * 5000 + b"}", "is no JSON document ("),
        ],
        ids=["nested", "list", "text", "bytes", "nan", "digits"],
    )
    def test_what_is_no_document_is_told_so(self, told: Any, content: bytes, why: str) -> None:
        assert why in told(content)

    def test_a_file_that_is_missing_or_a_folder_is_told(
        self, run: Bitfloor, tmp_path: Path
    ) -> None:
        for path in (tmp_path, tmp_path / "nothing.json"):
            ended = run("verify", str(path))
            assert ended.status == ExitStatus.USAGE
            assert ended.err.startswith(f"error: {path}: ")


FIGURE = {"name": "saved", "stated": 0.9, "found": 0.9, "agrees": True}
CHECKED = BEST_DOCUMENT["certification"]


def verdict(judgement: str, *, agrees: bool = True) -> dict[str, Any]:
    return {
        "model": "tiny",
        "weights": None,
        "dataset": "digits",
        "metric": "top1",
        "tolerance": 0.02,
        "judgement": judgement,
        "saved": 0.9,
        "certification": CHECKED,
        "images_needed": None if judgement == "certified" else 3100,
        "figures": [FIGURE, FIGURE | {"name": "memory_bytes", "found": 0.8, "agrees": agrees}],
    }


class TestVerdict:
    @pytest.mark.parametrize(
        "found, status",
        [
            (verdict("certified"), ExitStatus.OK),
            (verdict("certified", agrees=False), ExitStatus.FIGURES_DIFFER),
            (verdict("refuted"), ExitStatus.BELOW_FLOOR),
            (verdict("undecided", agrees=False), ExitStatus.BELOW_FLOOR),
        ],
    )
    def test_the_floor_counts_before_the_figures(
        self, found: dict[str, Any], status: ExitStatus
    ) -> None:
        assert verify._status(found) is status
        suite = verify._suite(found, began=datetime.now(UTC))
        (parsed,) = JUnitXml.fromstring(junit.render(suite))
        held = [case.is_passed for case in parsed]
        assert held[0] == (status is not ExitStatus.BELOW_FLOOR)
        assert all(held) == (status is ExitStatus.OK)

    def test_what_differs_is_told_with_both_values(self) -> None:
        told = list(verify._sentences(verdict("undecided", agrees=False), "best.json"))
        assert told[0].startswith("undecided: accuracy 89.00 % on 2000 images of digits, floor 88")
        assert told[1:] == [
            "about 3,100 images would do, at the rates seen here",
            "1 of 2 figures are not those of best.json:",
            "  memory_bytes: 0.9 is stated, 0.8 was found",
        ]
