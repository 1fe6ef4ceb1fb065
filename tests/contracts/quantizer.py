"""What every registered quantizer promises; subclass and name it to test one of your own."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from search.quantization import quantizer
from search.quantization.fake_quantize import operator
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Parameters

CPU = torch.device("cpu")
BIT_WIDTHS = (1, 2, 3, 4, 5, 8, 12, 16)


def histogram_of(values: np.ndarray, bins: int = 4096) -> Histogram:
    """Return the histogram over exactly the range of the values."""
    low, high = float(values.min()), float(values.max())
    # in double: near a million float32 has fewer steps than there are bins
    counts, _ = np.histogram(values.astype(np.float64), bins, (low, high))
    return Histogram(low, high, counts)


def samples(kind: str) -> np.ndarray:
    """Return activations as they look after an activation function, or before one."""
    rng = np.random.default_rng(7)
    normal = rng.normal(size=20_000)
    return {
        "relu": np.maximum(normal, 0),
        "heavy tail": np.maximum(normal, 0) ** 3,
        "signed": normal,
        "negative": -np.abs(normal) - 0.5,
        "far from zero": 1000 + normal,
        "tiny": np.maximum(normal, 0) * 1e-6,
        "huge": np.maximum(normal, 0) * 1e6,
        "two values": np.where(normal > 0, 1.0, 0.0),
    }[kind].astype(np.float32)


KINDS = (
    "relu",
    "heavy tail",
    "signed",
    "negative",
    "far from zero",
    "tiny",
    "huge",
    "two values",
)


class QuantizerContract:
    """Run by a subclass per quantizer; `name` is the registered one."""

    name: ClassVar[str]

    def fitted(self, values: np.ndarray, bit_width: int) -> Parameters:
        calibration = Calibration({"point": histogram_of(values)}, (bit_width,))
        return quantizer.get(self.name).fit(calibration, "point", bit_width=bit_width)

    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_stores_at_most_two_to_the_bit_width_values(self, kind: str, bit_width: int) -> None:
        values = torch.from_numpy(samples(kind))
        quantized = operator(self.fitted(values.numpy(), bit_width), CPU)(values)
        assert len(torch.unique(quantized)) <= 2**bit_width

    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_quantizing_twice_changes_nothing_more(self, kind: str, bit_width: int) -> None:
        values = torch.from_numpy(samples(kind))
        apply = operator(self.fitted(values.numpy(), bit_width), CPU)
        assert torch.equal(apply(apply(values)), apply(values))

    @pytest.mark.parametrize("kind", KINDS)
    def test_order_is_kept_so_that_max_pooling_commutes(self, kind: str) -> None:
        values = torch.from_numpy(samples(kind)).sort().values
        quantized = operator(self.fitted(values.numpy(), 3), CPU)(values)
        assert bool((quantized.diff() >= 0).all())

    @pytest.mark.parametrize("kind", KINDS)
    def test_more_bits_lose_less(self, kind: str) -> None:
        values = samples(kind)
        histogram = histogram_of(values)
        errors = [
            histogram.error(self.fitted(values, bits).quantize(histogram.centers))
            for bits in (2, 4, 8)
        ]
        slack = 1e-12 * max(abs(histogram.low), abs(histogram.high)) ** 2
        assert errors[2] <= errors[1] + slack
        assert errors[1] <= errors[0] + slack

    @pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4, 4), (0, 3)])
    @pytest.mark.parametrize("dtype", [torch.float32])
    def test_shape_and_dtype_stay(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        values = torch.rand(shape, dtype=dtype)
        quantized = operator(self.fitted(samples("relu"), 4), CPU)(values)
        assert (quantized.shape, quantized.dtype) == (values.shape, values.dtype)

    def test_the_input_is_left_alone(self) -> None:
        values = torch.rand(100)
        before = values.clone()
        operator(self.fitted(samples("relu"), 2), CPU)(values)
        assert torch.equal(values, before)

    def test_a_transposed_tensor_is_quantized_as_it_reads(self) -> None:
        values = torch.rand(5, 7)
        apply = operator(self.fitted(samples("relu"), 3), CPU)
        assert torch.equal(apply(values.t()), apply(values.t().contiguous()))

    @pytest.mark.parametrize("kind", KINDS)
    def test_torch_and_numpy_agree_but_for_ties(self, kind: str) -> None:
        values = samples(kind)
        parameters = self.fitted(values, 4)
        fused = operator(parameters, CPU)(torch.from_numpy(values)).numpy()
        exact = parameters.quantize(values.astype(np.float64))
        close = np.isclose(fused, exact, rtol=1e-5, atol=1e-6 * np.abs(values).max())
        # float32 and float64 may take different sides of a threshold
        assert close.mean() > 0.999

    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    def test_zero_stays_zero_where_promised(self, bit_width: int) -> None:
        for kind in ("relu", "signed", "heavy tail", "far from zero"):
            stored = operator(self.fitted(samples(kind), bit_width), CPU)(torch.zeros(1))
            if quantizer.get(self.name).keeps_zero:
                assert float(stored) == 0.0

    def test_values_outside_the_calibrated_range_are_clamped_not_wrapped(self) -> None:
        apply = operator(self.fitted(samples("relu"), 4), CPU)
        far = apply(torch.tensor([1e9, float("inf"), -1e9, float("-inf")]))
        top, bottom = apply(torch.tensor([samples("relu").max(), 0.0]))
        assert far.tolist() == [top, top, bottom, bottom]

    def test_not_a_number_does_not_end_the_process(self) -> None:
        operator(self.fitted(samples("relu"), 4), CPU)(torch.tensor([float("nan")]))

    # one test for many subclasses is what a contract is
    @settings(
        deadline=None,
        max_examples=60,
        suppress_health_check=[HealthCheck.differing_executors],
    )
    @given(
        values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=60, unique=True),
        bit_width=st.integers(1, 8),
    )
    def test_any_histogram_can_be_fitted(self, values: list[float], bit_width: int) -> None:
        # below it float32 has no step left to divide the range by
        assume(max(values) - min(values) > 1e-30)
        array = np.asarray(values, dtype=np.float32)
        quantized = operator(self.fitted(array, bit_width), CPU)(torch.from_numpy(array))
        assert bool(torch.isfinite(quantized).all())
        assert len(torch.unique(quantized)) <= 2**bit_width
