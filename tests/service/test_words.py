"""Numbers as people read them."""

import pytest

from search.cost import OFFERED
from service import words


class TestAmountInWords:
    @pytest.mark.parametrize(
        "cost_bytes, objective, told",
        [
            (1536, "activation_memory", "1.50 KiB"),
            (3 * 1024 * 1024, "weight_memory", "3.00 MiB"),
            (250_000_000, "bit_operations", "2.00 giga bit operations"),
            (10, "bit_operations", "80 bit operations"),
        ],
    )
    def test_each_objective_has_its_unit(
        self, cost_bytes: float, objective: str, told: str
    ) -> None:
        assert words.amount_in_words(cost_bytes, objective) == told


class TestBestInWords:
    def test_operations_go_before_the_memory_that_they_do_not_count(self) -> None:
        document = {
            "bit_operations": 2 * 10**9,
            "float_bit_operations": 3 * 10**12,
            "memory_bytes": 1024,
            "float_memory_bytes": 4096,
        }
        assert words.best_in_words(document) == "2.00 giga bit operations"
        assert words.best_in_words(document, float32=True) == "3.00 tera bit operations"

    def test_else_it_is_bytes(self) -> None:
        document = {"memory_bytes": 1024, "float_memory_bytes": 4096}
        assert words.best_in_words(document, float32=True) == "4.00 KiB"


class TestCostUnit:
    @pytest.mark.parametrize("objective", OFFERED)
    def test_the_axis_and_the_words_agree(self, objective: str) -> None:
        title, unit = words.cost_unit(8e9, objective)
        amount, name = words.amount_in_words(1e9, objective).split(" ", 1)
        assert f"{8e9 / unit:,.2f}" == amount
        assert name in title
        assert title.endswith("an image") == (objective == "bit_operations")


class TestPer:
    def test_weights_are_stored_once_and_activations_for_every_image(self) -> None:
        once = {name for name in OFFERED if not words.per(name)}
        assert once == {"weight_memory", "total_memory"}


class TestObjectiveOf:
    @pytest.mark.parametrize(
        "spec, objective",
        [
            ({"objective": "bit_operations", "target": "both"}, "bit_operations"),
            ({"objective": None, "target": "weights"}, "weight_memory"),
            ({"objective": None, "target": "both"}, "total_memory"),
            ({"objective": "peak_activation_memory"}, "peak_activation_memory"),
            ({}, "activation_memory"),
        ],
    )
    def test_what_is_left_out_follows_from_the_target(
        self, spec: dict[str, str | None], objective: str
    ) -> None:
        assert words.objective_of(spec) == objective
