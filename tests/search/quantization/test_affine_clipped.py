"""A clipped range gives up the few for the many, and only where that pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from search.quantization import affine
from search.quantization import affine_clipped
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Fit
from tests.contracts.quantizer import KINDS
from tests.contracts.quantizer import histogram_of
from tests.contracts.quantizer import samples

BOTH = pytest.mark.parametrize("fit", [affine_clipped.fit_mse, affine_clipped.fit_percentile])


def fitted(fit: Fit, histogram: Histogram, bit_width: int) -> Affine:
    found = fit(Calibration({"a": histogram}, (bit_width,)), "a", bit_width=bit_width)
    assert isinstance(found, Affine)
    return found


def squared(histogram: Histogram, parameters: Affine) -> float:
    return histogram.error(parameters.quantize(histogram.centers))


def top(parameters: Affine) -> float:
    return (parameters.quant_max - parameters.zero_point) * parameters.scale


def bottom(parameters: Affine) -> float:
    return (parameters.quant_min - parameters.zero_point) * parameters.scale


@BOTH
class TestBoth:
    def test_few_bits_clip_a_heavy_tail_and_many_hardly(self, fit: Fit) -> None:
        histogram = histogram_of(samples("heavy tail"))
        tops = [top(fitted(fit, histogram, bits)) for bits in (2, 4, 8)]
        assert tops[0] < tops[1] < tops[2]
        assert tops[0] < histogram.high / 2

    def test_data_at_or_above_zero_has_one_end_to_clip(self, fit: Fit) -> None:
        found = fitted(fit, histogram_of(samples("relu")), 3)
        assert found.zero_point == 0

    def test_data_below_zero_is_clipped_at_its_lower_end(self, fit: Fit) -> None:
        values = -(np.abs(samples("signed")) ** 3)
        found = fitted(fit, histogram_of(values), 2)
        assert top(found) == 0
        assert bottom(found) > values.min() / 2

    def test_a_tail_on_one_side_is_clipped_on_that_side(self, fit: Fit) -> None:
        signed = samples("signed")
        values = np.where(signed > 0, signed**3, signed)
        found = fitted(fit, histogram_of(values), 4)
        assert top(found) < values.max() / 2
        assert bottom(found) < values.min() / 4

    def test_evenly_spread_data_is_left_whole_but_for_its_bins(self, fit: Fit) -> None:
        found = fitted(fit, histogram_of(np.linspace(0, 1, 10_000, dtype=np.float32)), 8)
        assert top(found) == pytest.approx(1, abs=0.005)


class TestMse:
    @pytest.mark.parametrize("bit_width", [1, 2, 4, 8, 12])
    @pytest.mark.parametrize("kind", KINDS)
    def test_its_error_is_never_above_that_of_the_whole_range(
        self, kind: str, bit_width: int
    ) -> None:
        histogram = histogram_of(samples(kind))
        clipped = squared(histogram, fitted(affine_clipped.fit_mse, histogram, bit_width))
        assert clipped <= squared(histogram, fitted(affine.fit, histogram, bit_width))

    @settings(max_examples=40)
    @given(
        values=st.lists(st.floats(-100, 100, width=16), min_size=3, max_size=40, unique=True),
        bit_width=st.integers(1, 6),
    )
    def test_nor_is_it_on_any_data(self, values: list[float], bit_width: int) -> None:
        histogram = histogram_of(np.asarray(values), bins=256)
        clipped = squared(histogram, fitted(affine_clipped.fit_mse, histogram, bit_width))
        assert clipped <= squared(histogram, fitted(affine.fit, histogram, bit_width))

    @pytest.mark.parametrize("bit_width", [2, 3, 4])
    @pytest.mark.parametrize("kind", ["signed", "relu", "heavy tail"])
    def test_a_dense_search_finds_hardly_less(self, kind: str, bit_width: int) -> None:
        histogram = histogram_of(samples(kind), bins=1024)
        found = squared(histogram, fitted(affine_clipped.fit_mse, histogram, bit_width))
        shares = np.linspace(0.05, 1, 60)
        dense = min(
            squared(histogram, affine.spread(low, high, bit_width=bit_width))
            for low in ({0.0} if histogram.low >= 0 else histogram.low * shares)
            for high in histogram.high * shares
        )
        assert found <= 1.02 * dense

    def test_a_gaussian_is_clipped_where_the_literature_says(self) -> None:
        # the least-squares range of 2**b uniform levels, in standard deviations (Max 1960)
        normal = np.random.default_rng(3).normal(size=400_000)
        found = fitted(affine_clipped.fit_mse, histogram_of(normal), 4)
        assert top(found) - bottom(found) == pytest.approx(15 * 0.3352, rel=0.06)


class TestPercentile:
    def test_each_end_is_a_percentile_of_its_side(self) -> None:
        values = samples("heavy tail")
        found = fitted(affine_clipped.fit_percentile, histogram_of(values), 3)
        bin_width = histogram_of(values).width
        positive = values[values > bin_width]
        bounds = [float(np.quantile(positive, p)) for p in affine_clipped.PERCENTILES]
        assert any(abs(top(found) - bound) <= 2 * bin_width for bound in (*bounds, values.max()))

    def test_how_many_values_are_zero_does_not_matter(self) -> None:
        values = samples("heavy tail")
        more = np.concatenate([values, np.zeros(50_000, dtype=np.float32)])
        first, second = (
            fitted(affine_clipped.fit_percentile, histogram_of(v), 3) for v in (values, more)
        )
        assert first.scale == pytest.approx(second.scale, rel=1e-3)
