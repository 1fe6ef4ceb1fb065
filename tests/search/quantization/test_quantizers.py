"""Each quantizer keeps the contract, and does what its own name says."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from search.allocation import QuantizerConfig
from search.errors import CalibrationMissing
from search.errors import UnknownQuantizer
from search.quantization import affine
from search.quantization import catalog
from search.quantization import codebook
from search.quantization import fixed_point
from search.quantization import quantizer
from search.quantization.channels import Channels
from search.quantization.fake_quantize import operator
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Codebook
from tests.contracts.quantizer import QuantizerContract
from tests.contracts.quantizer import histogram_of
from tests.contracts.quantizer import samples


class TestFixedPointContract(QuantizerContract):
    name = "fixed_point"


class TestFixedPointSharedContract(QuantizerContract):
    name = "fixed_point_shared"


class TestAffineContract(QuantizerContract):
    name = "affine"


class TestAffineMseContract(QuantizerContract):
    name = "affine_mse"


class TestAffinePercentileContract(QuantizerContract):
    name = "affine_percentile"


class TestCodebookContract(QuantizerContract):
    name = "codebook"


class TestCodebookBoundedContract(QuantizerContract):
    name = "codebook_bounded"


def calibration(**kinds: str) -> Calibration:
    histograms = {point: histogram_of(samples(kind)) for point, kind in kinds.items()}
    return Calibration(histograms, (2, 4, 8))


class TestRegistry:
    def test_every_registered_quantizer_runs_the_contract(self) -> None:
        tested = {contract.name for contract in QuantizerContract.__subclasses__()}
        # those with a scale for each channel have a contract of their own
        assert {q.name for q in quantizer.registered() if not q.per_channel} <= tested

    def test_every_registered_quantizer_is_in_the_guide(self) -> None:
        guide = Path(__file__).parents[3] / "docs" / "quantizers.md"
        rows = re.findall(r"^\| `(\w+)` \|", guide.read_text(encoding="utf-8"), re.MULTILINE)
        assert sorted(rows) == [known.name for known in quantizer.registered()]

    def test_an_unknown_name_is_told_with_the_known_ones(self) -> None:
        with pytest.raises(UnknownQuantizer, match=r"'ternary'.*affine.*codebook"):
            catalog.fit(calibration(a="relu"), "a", config=QuantizerConfig("ternary", 2))

    def test_a_point_without_histogram_is_named(self) -> None:
        with pytest.raises(CalibrationMissing, match=r"features\.9"):
            catalog.fit(calibration(a="relu"), "features.9", config=QuantizerConfig("affine", 2))


class TestFixedPoint:
    @pytest.mark.parametrize("bit_width", [1, 4, 8])
    def test_the_step_is_a_power_of_two_and_unsigned_after_relu(self, bit_width: int) -> None:
        fitted = fixed_point.fit(calibration(a="relu"), "a", bit_width=bit_width)
        assert float(np.log2(fitted.scale)).is_integer()
        assert (fitted.quant_min, fitted.quant_max) == (0, 2**bit_width - 1)

    def test_negative_values_take_a_sign_bit(self) -> None:
        fitted = fixed_point.fit(calibration(a="signed"), "a", bit_width=4)
        assert (fitted.quant_min, fitted.quant_max) == (-8, 7)

    def test_values_above_the_largest_code_saturate(self) -> None:
        apply = operator(fixed_point.code(0, 4, signed=False), torch.device("cpu"))
        assert apply(torch.tensor([3.4, 15.2, 16.0, 15000.0])).tolist() == [3, 15, 15, 15]

    def test_no_other_step_has_a_smaller_error(self) -> None:
        histogram = histogram_of(samples("heavy tail"))
        fitted = fixed_point.fit(Calibration({"a": histogram}, (4,)), "a", bit_width=4)
        errors = {
            e: histogram.error(fixed_point.code(e, 4, signed=False).quantize(histogram.centers))
            for e in range(-12, 12)
        }
        assert fitted.scale == 2.0 ** min(errors, key=errors.__getitem__)

    def test_the_shared_step_is_one_for_all_points_and_bit_widths(self) -> None:
        both = calibration(small="relu", large="heavy tail")
        steps = {
            fixed_point.fit_shared(both, point, bit_width=bits).scale
            for point in ("small", "large")
            for bits in (2, 4, 8)
        }
        assert len(steps) == 1

    def test_weights_share_a_step_of_their_own(self) -> None:
        tiny = Channels(lambda: samples("tiny")[None])
        both = replace(calibration(a="heavy tail", w="tiny"), weights={"w": tiny})
        alone = fixed_point.fit_shared(calibration(a="heavy tail"), "a", bit_width=4)
        assert fixed_point.fit_shared(both, "a", bit_width=4) == alone
        assert fixed_point.fit_shared(both, "w", bit_width=4).scale < alone.scale


class TestAffine:
    def test_levels_are_evenly_spaced_from_min_to_max(self) -> None:
        fitted = affine.spread(0.0, 15.0, bit_width=4)
        levels = operator(fitted, torch.device("cpu"))(torch.linspace(0, 15, 1000))
        assert torch.unique(levels).tolist() == [float(level) for level in range(16)]

    def test_the_zero_point_is_the_code_of_zero(self) -> None:
        fitted = affine.spread(-1.0, 3.0, bit_width=2)
        assert fitted == Affine(scale=4 / 3, zero_point=1, quant_min=0, quant_max=3)

    def test_a_range_off_zero_is_widened_to_hold_it(self) -> None:
        assert affine.spread(2.0, 6.0, bit_width=1).scale == 6.0
        assert affine.spread(-6.0, -2.0, bit_width=1).zero_point == 1


class TestCodebook:
    def test_levels_lie_where_the_values_are(self) -> None:
        clusters = np.repeat([0.0, 1.0, 9.0, 10.0], [500, 300, 100, 5]).astype(np.float32)
        fitted = codebook.fit(Calibration({"a": histogram_of(clusters)}, (2,)), "a", bit_width=2)
        assert np.allclose(fitted.levels, [0, 1, 9, 10], atol=10 / 4096)

    def test_it_loses_less_than_evenly_spaced_levels(self) -> None:
        histogram = histogram_of(samples("heavy tail"))
        given = Calibration({"a": histogram}, (3,))
        spread = affine.fit(given, "a", bit_width=3).quantize(histogram.centers)
        clustered = codebook.fit(given, "a", bit_width=3).quantize(histogram.centers)
        assert histogram.error(clustered) < histogram.error(spread) / 4

    def test_values_above_the_bound_take_the_top_level(self) -> None:
        fitted = codebook.fit_levels(histogram_of(samples("heavy tail")), 3, upper_bound=2.0)
        assert fitted.upper_bound == 2.0
        assert fitted.levels.max() <= 2.0
        assert fitted.quantize(np.array([50.0]))[0] == fitted.levels[-1]

    def test_the_bound_is_fitted_to_the_tail(self) -> None:
        given = calibration(a="heavy tail")
        bounded = codebook.fit_bounded(given, "a", bit_width=3)
        free = codebook.fit(given, "a", bit_width=3)
        assert bounded.upper_bound is not None
        assert bounded.levels[-1] < free.levels[-1]

    def test_no_bound_is_imposed_where_it_only_loses(self) -> None:
        uniform = np.linspace(0, 1, 10_000, dtype=np.float32)
        given = Calibration({"a": histogram_of(uniform)}, (8,))
        assert codebook.fit_bounded(given, "a", bit_width=8).upper_bound is None

    def test_a_given_bound_is_used_as_it_is(self) -> None:
        fitted_to = calibration(a="heavy tail", b="heavy tail")
        given = replace(fitted_to, upper_bounds={"a": 2.0})
        found = {point: codebook.fit_bounded(given, point, bit_width=3) for point in ("a", "b")}
        assert found["a"].upper_bound == 2.0
        assert found["a"].levels.max() <= 2.0
        assert (
            found["b"].upper_bound == codebook.fit_bounded(fitted_to, "b", bit_width=3).upper_bound
        )

    def test_data_without_positive_values_has_no_bound(self) -> None:
        fitted = codebook.fit_bounded(calibration(a="negative"), "a", bit_width=2)
        assert fitted.upper_bound is None

    def test_the_description_rebuilds_the_quantizer(self) -> None:
        values = samples("heavy tail")
        fitted = codebook.fit(Calibration({"a": histogram_of(values)}, (3,)), "a", bit_width=3)
        described = fitted.describe()
        thresholds, levels = described["thresholds"], described["levels"]
        assert isinstance(thresholds, list)
        assert isinstance(levels, list)
        rebuilt = np.asarray(levels)[np.searchsorted(thresholds, values, side="right")]
        assert np.mean(rebuilt == fitted.quantize(values.astype(np.float64))) > 0.999

    def test_more_levels_than_bins_are_not_invented(self) -> None:
        few = Histogram(0.0, 3.0, np.array([5, 0, 7]))
        fitted = codebook.fit(Calibration({"a": few}, (4,)), "a", bit_width=4)
        assert isinstance(fitted, Codebook)
        assert fitted.levels.tolist() == [0.5, 2.5]
