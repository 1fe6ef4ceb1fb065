"""Conditions for pipelines."""

import pytest

from service.cli.conditions import parse
from service.cli.errors import ConditionUnusable
from tests.service.api.deployment import BEST_DOCUMENT


class TestOlderResults:
    def test_a_field_that_one_lacks_is_not_met(self) -> None:
        condition = parse("gap<=1")
        older = BEST_DOCUMENT | {"certification": {"accuracy": 0.89}}
        assert condition.value(older) is None
        assert not condition.holds(older)


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            "saved>=0.87",
            "saved <= 87%",
            " saved == 0.87 ",
            "average_bits>4",
            "memory_bytes<1e4",
            "accuracy==0.89",
            "drop<=1%",
            "p_value<=0.05",
            "gap<=0",
            "search_accuracy<0.89",
            "trial==5",
        ],
    )
    def test_a_true_condition_holds(self, text: str) -> None:
        assert parse(text).holds(BEST_DOCUMENT)

    @pytest.mark.parametrize(
        "text", ["saved>0.87", "saved<0.87", "saved>=88%", "drop_upper_bound<=0.01", "trial>=6"]
    )
    def test_a_false_condition_does_not_hold(self, text: str) -> None:
        assert not parse(text).holds(BEST_DOCUMENT)

    def test_accuracy_is_that_of_the_images_the_search_never_saw(self) -> None:
        certified = BEST_DOCUMENT["certification"]["accuracy"]
        assert parse("accuracy>=0").value(BEST_DOCUMENT) == certified

    @pytest.mark.parametrize(
        "text",
        ["", "saved", "saved=0.8", "saved>=", ">=0.8", "saved>=much", "saved>=nan", "a b>=1"],
    )
    def test_what_is_no_condition_is_refused(self, text: str) -> None:
        with pytest.raises(ConditionUnusable, match=r"saved>=0\.80"):
            parse(text)

    def test_an_unknown_field_is_told_the_known_ones(self) -> None:
        with pytest.raises(ConditionUnusable, match=r"'saving'.*saved, average_bits, memory_bytes"):
            parse("saving>=0.8")
