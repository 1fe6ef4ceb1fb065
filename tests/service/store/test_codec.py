"""The documents that values become, spelled out where somebody outside reads them."""

import json
import math
from dataclasses import replace

import pytest

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.rules import PointRule
from search.spec import DEFAULT_BUDGET
from search.spec import DEFAULT_QUANTIZERS
from search.trial import Verdict
from service.store import codec
from tests.contracts.samples import SETUP
from tests.contracts.samples import SPEC
from tests.contracts.samples import trial


class TestDumps:
    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_what_json_cannot_hold_is_refused(self, number: float) -> None:
        with pytest.raises(ValueError, match="not JSON compliant"):
            codec.dumps({"accuracy": number})

    def test_text_is_plain_ascii(self) -> None:
        assert codec.dumps({"δ": "\0"}) == '{"\\u03b4":"\\u0000"}'


class TestDigest:
    def test_texts_are_told_apart_wherever_they_are_cut(self) -> None:
        assert len({codec.digest("a", "bc"), codec.digest("ab", "c"), codec.digest("abc")}) == 3


class TestAllocationDocument:
    def test_points_keep_the_network_order(self) -> None:
        allocation = BitAllocation.of(
            {"z": QuantizerConfig("affine", 4), "a": QuantizerConfig("codebook_bounded", 2)}
        )
        assert codec.dumps(codec.allocation_document(allocation)) == (
            '{"z":{"quantizer":"affine","bit_width":4},'
            '"a":{"quantizer":"codebook_bounded","bit_width":2}}'
        )


class TestSpecDocument:
    def test_every_field_is_spelled_out(self) -> None:
        assert codec.spec_document(SPEC) == {
            "model": "squeezenet",
            "dataset": "shapes",
            "tolerance": 0.02,
            "quantizers": [*DEFAULT_QUANTIZERS],
            "bit_widths": [1, 2, 3, 4, 5, 6, 7, 8],
            "points": {},
            "target": "activations",
            "tie": "none",
            "objective": None,
            "goal": "floor",
            "confidence": 0.95,
            "sampler": SPEC.sampler,
            "budget": DEFAULT_BUDGET,
            "seed": 0,
            "trial_timeout": 600.0,
            "parallelism": 1,
            "metric": "top1",
            "splits": None,
            "preprocessing": None,
            "weights": None,
        }

    def test_a_document_from_before_a_field_existed_gets_its_default(self) -> None:
        document = codec.spec_document(SPEC)
        younger = ("objective", "metric", "splits", "preprocessing", "weights")
        youngest = ("target", "tie", "goal", "confidence", "parallelism")
        for field in younger + youngest:
            del document[field]
        assert codec.spec_of(document) == SPEC

    def test_one_that_names_its_objective_still_does(self) -> None:
        document = codec.spec_document(SPEC) | {"objective": "peak_activation_memory"}
        assert codec.spec_of(document).minimizes == "peak_activation_memory"

    def test_one_from_before_there_were_rules_has_none(self) -> None:
        document = codec.spec_document(SPEC)
        del document["points"]
        assert codec.spec_of(document) == SPEC

    def test_rules_say_what_they_say_in_order(self) -> None:
        rules = (
            ("*", PointRule(bit_widths=(4, 8))),
            ("a", PointRule(exclude=False, quantizers=("affine",), upper_bound=6.5)),
        )
        document = codec.spec_document(replace(SPEC, points=rules))
        assert codec.dumps(document["points"]) == (
            '{"*":{"bit_widths":[4,8]},"a":{"quantizers":["affine"],"exclude":false,"upper_bound":6.5}}'
        )
        assert codec.spec_of(document).points == rules


class TestSetupDocument:
    def test_a_point_from_before_weights_were_points_is_an_activation(self) -> None:
        document = codec.setup_document(SETUP)
        for point in document["points"]:
            del point["kind"]
        assert codec.setup_of(document, SETUP.histograms) == SETUP

    def test_a_weight_stays_one(self) -> None:
        weight = QuantizationPoint("features.0.weight", 9, Kind.WEIGHT)
        setup = replace(SETUP, points=(*SETUP.points, weight))
        document = json.loads(codec.dumps(codec.setup_document(setup)))
        assert codec.setup_of(document, setup.histograms).points[-1].kind is Kind.WEIGHT


class TestTrialDocument:
    def test_it_decodes_to_the_trial(self) -> None:
        assert codec.trial_of(codec.trial_document(trial(3))) == trial(3)

    @pytest.mark.parametrize(
        "complete, constraint, verdict",
        [
            (True, 0.0, Verdict.HELD),
            (True, 0.01, Verdict.MISSED),
            (False, -0.01, Verdict.MISSED),
        ],
    )
    def test_one_recorded_without_a_verdict_gets_what_it_then_meant(
        self, complete: bool, constraint: float, verdict: Verdict
    ) -> None:
        result = trial(3, complete=complete, constraint=constraint)
        document = codec.trial_document(result) | {"verdict": None}
        assert codec.trial_of(document).verdict is verdict
