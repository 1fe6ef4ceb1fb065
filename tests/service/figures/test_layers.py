"""Which allocation a report is about, and the values that can be stored."""

from typing import Any

import pytest

from service.figures.layers import choice
from service.figures.layers import levels
from service.store.values import JobState
from tests.service.report import samples


class TestChoice:
    def test_a_certified_best_comes_with_its_levels(self) -> None:
        job, _, best = samples.succeeded()
        chosen = choice(job)
        assert chosen.title == f"the certified best, trial {best[0].result.number}"
        assert [layer.name for layer in chosen.layers] == [p.name for p in samples.POINTS]
        assert all(len(layer.levels) == 2**layer.bit_width for layer in chosen.layers)

    def test_an_infeasible_job_shows_the_closest(self) -> None:
        job, found, _ = samples.infeasible()
        chosen = choice(job)
        assert "below the floor" in chosen.title
        config = found[0].result.allocation.get(chosen.layers[0].name)
        assert config is not None
        assert chosen.layers[0].bit_width == config.bit_width

    def test_without_any_everything_is_float32(self) -> None:
        chosen = choice(samples.job(JobState.RUNNING))
        assert chosen.title == ""
        assert {layer.bit_width for layer in chosen.layers} == {32}
        assert all(layer.bytes_after == layer.bytes_before for layer in chosen.layers)


class TestLevels:
    @pytest.mark.parametrize(
        "parameters, stored",
        [
            ({"levels": [2.0, 0.5], "upper_bound": 3}, (0.5, 2.0)),
            ({"scale": 0.5, "zero_point": 1, "quant_min": 0, "quant_max": 3}, (-0.5, 0, 0.5, 1)),
            ({"scale": 0.5}, ()),
            ({}, ()),
        ],
    )
    def test_they_are_what_the_parameters_say(
        self, parameters: dict[str, Any], stored: tuple[float, ...]
    ) -> None:
        assert levels(parameters) == stored
