"""Small multiples: the normal distribution is that of the counts, and drawn at the same scale."""

from math import exp
from math import pi
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.figures.layers import Layer
from service.report.histograms import common
from service.report.histograms import expected
from service.report.histograms import multiples

SPREAD = st.lists(st.integers(0, 1000), min_size=2, max_size=40).filter(any)


def layer(**changes: object) -> Layer:
    """Return a layer that nothing was chosen for."""
    fields: dict[str, object] = {
        "name": "a",
        "elements": 10,
        "quantizer": None,
        "bit_width": 32,
        "bytes_before": 0,
        "bytes_after": 0,
    }
    return Layer(**(fields | changes))  # type: ignore[arg-type]  # fields of several types


class TestExpected:
    def test_counts_of_a_normal_distribution_are_expected_as_they_are(self) -> None:
        step = 8 / 128
        counts = [
            1e6 * step * exp(-((-4 + step * (i + 0.5)) ** 2) / 2) / sqrt(2 * pi) for i in range(128)
        ]
        bell = expected(counts, low=-4.0, high=4.0)
        assert bell == pytest.approx(counts, rel=0.02)
        assert common(counts, bell) > 0.998

    def test_two_far_peaks_are_not_normal(self) -> None:
        counts = [100.0, *[0.0] * 62, 100.0]
        assert common(counts, expected(counts, low=0.0, high=1.0)) < 0.1

    @given(SPREAD, st.floats(-100, 100), st.floats(0.01, 100))
    def test_no_more_is_expected_than_there_is(
        self, counts: list[int], low: float, width: float
    ) -> None:
        bell = expected(counts, low=low, high=low + width)
        assert all(n >= 0 for n in bell)
        assert sum(bell) <= sum(counts) * (1 + 1e-9)
        assert 0 <= common(counts, bell) <= 1 + 1e-9

    def test_without_counts_nothing_is_expected(self) -> None:
        assert expected([0, 0], low=0.0, high=1.0) == [0.0, 0.0]


class TestMultiples:
    histogram = {"low": -1.0, "high": 1.0, "counts": [1, 4, 6, 4, 1]}  # noqa: RUF012  # not changed

    def test_the_normal_distribution_is_drawn_where_it_is_asked_for(self) -> None:
        plain = multiples([layer()], {"a": self.histogram})
        normal = multiples([layer()], {"a": self.histogram}, normal=True)
        assert "float32</figcaption>" in plain
        assert 'class="levels"' not in plain
        assert "% normal</figcaption>" in normal
        assert normal.count('class="levels"') == 1

    def test_the_label_tells_what_is_drawn(self) -> None:
        drawn = multiples([layer()], {"a": self.histogram})
        assert 'aria-label="Histogram of the activation at a, from -1 to 1; float32"' in drawn
        kept = multiples([layer(bytes_before=40, bytes_after=5)], {"a": self.histogram})
        assert "float32, 12.5 % of the float32 memory" in kept

    def test_a_layer_without_a_histogram_is_not_drawn(self) -> None:
        assert multiples([layer(name="b")], {"a": self.histogram}) == ""
