"""A scale for every channel: as torch computes it, never worse than one range, best on its own."""

import dataclasses

import numpy as np
import pytest
import torch

from search.allocation import Kind
from search.errors import CalibrationMissing
from search.quantization import affine_per_channel
from search.quantization import catalog  # noqa: F401  # registers
from search.quantization import quantizer
from search.quantization.channels import BINS
from search.quantization.channels import Channels
from search.quantization.fake_quantize import operator
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import PerChannelAffine
from tests.contracts.quantizer import histogram_of

CPU = torch.device("cpu")
BIT_WIDTHS = (1, 2, 3, 4, 5, 8, 12, 16)
NAMES = [known.name for known in quantizer.registered() if known.per_channel]


def weight(values: int = 90) -> np.ndarray:
    """Return a weight whose channels differ in range, some of one sign, constant or zero."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(7, values)) ** 3 * np.logspace(-4, 3, 7)[:, None]
    rows[1] = np.abs(rows[1])
    rows[2] = -np.abs(rows[2])
    rows[3] = 0
    rows[4] = 0.25
    return rows.astype(np.float32)


def calibrated(values: np.ndarray) -> Calibration:
    return Calibration(
        {"w": histogram_of(values)}, BIT_WIDTHS, weights={"w": Channels(lambda: values)}
    )


def fitted(name: str, values: np.ndarray, bit_width: int) -> PerChannelAffine:
    parameters = quantizer.get(name).fit(calibrated(values), "w", bit_width=bit_width)
    assert isinstance(parameters, PerChannelAffine)
    return parameters


def errors(values: np.ndarray, parameters: PerChannelAffine) -> np.ndarray:
    exact = values.astype(np.float64)
    return np.asarray(((parameters.quantize(exact) - exact) ** 2).sum(axis=1))


@pytest.mark.parametrize("name", NAMES)
class TestPerChannel:
    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    def test_a_channel_stores_at_most_two_to_the_bit_width_values(
        self, name: str, bit_width: int
    ) -> None:
        values = torch.from_numpy(weight())
        for row in operator(fitted(name, values.numpy(), bit_width), CPU)(values):
            assert len(torch.unique(row)) <= 2**bit_width

    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    def test_quantizing_twice_changes_nothing_more(self, name: str, bit_width: int) -> None:
        values = torch.from_numpy(weight())
        apply = operator(fitted(name, values.numpy(), bit_width), CPU)
        assert torch.equal(apply(apply(values)), apply(values))

    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    def test_zero_stays_zero_in_every_channel(self, name: str, bit_width: int) -> None:
        apply = operator(fitted(name, weight(), bit_width), CPU)
        assert not apply(torch.zeros(7, 90)).any()

    def test_each_channel_is_quantized_as_if_it_were_alone(self, name: str) -> None:
        values = weight()
        together = fitted(name, values, 4)
        for row in range(len(values)):
            alone = fitted(name, values[row : row + 1], 4)
            assert alone.scales[0] == together.scales[row]
            assert alone.zero_points[0] == together.zero_points[row]

    @pytest.mark.parametrize("shape", [(7, 90), (7, 10, 3, 3)])
    def test_torch_and_numpy_agree_but_for_ties(self, name: str, shape: tuple[int, ...]) -> None:
        values = weight().reshape(shape)
        parameters = fitted(name, weight(), 4)
        fused = operator(parameters, CPU)(torch.from_numpy(values)).numpy()
        exact = parameters.quantize(values.astype(np.float64))
        # float32 and float64 may take different sides of a threshold
        assert np.isclose(fused, exact, rtol=1e-5, atol=1e-9).mean() > 0.995

    def test_more_bits_lose_less(self, name: str) -> None:
        lost = [errors(weight(), fitted(name, weight(), bits)) for bits in (2, 4, 8)]
        assert (lost[2] <= lost[1]).all()
        assert (lost[1] <= lost[0]).all()

    def test_an_activation_is_refused_by_name(self, name: str) -> None:
        activations = Calibration({"features.0": histogram_of(weight())}, (4,))
        assert quantizer.get(name).kinds == {Kind.WEIGHT}
        with pytest.raises(CalibrationMissing, match=r"features\.0"):
            quantizer.get(name).fit(activations, "features.0", bit_width=4)

    def test_the_description_has_one_entry_a_channel(self, name: str) -> None:
        described = fitted(name, weight(), 3).describe()
        assert described["axis"] == 0
        scales, zero_points = described["scales"], described["zero_points"]
        assert isinstance(scales, list)
        assert isinstance(zero_points, list)
        assert len(scales) == len(zero_points) == 7
        assert described["quant_max"] == 7


class TestMinMax:
    def test_it_is_the_affine_quantizer_of_every_channel(self) -> None:
        values = weight()
        found = affine_per_channel.fit(calibrated(values), "w", bit_width=3)
        for row, channel in enumerate(values):
            if not channel.any():
                continue
            reference = torch.ao.quantization.PerChannelMinMaxObserver(
                dtype=torch.quint8, quant_min=0, quant_max=7, eps=1e-12
            )
            reference(torch.from_numpy(channel[None]))
            scale, zero_point = reference.calculate_qparams()
            assert found.scales[row] == pytest.approx(float(scale), rel=1e-6)
            assert found.zero_points[row] == int(zero_point)


class TestLeastSquaredError:
    @pytest.mark.parametrize("bit_width", BIT_WIDTHS)
    @pytest.mark.parametrize("values", [90, 5 * BINS])
    def test_no_channel_loses_more_than_over_its_whole_range(
        self, values: int, bit_width: int
    ) -> None:
        data = weight(values)
        best = errors(data, fitted("affine_mse_per_channel", data, bit_width))
        whole = errors(data, fitted("affine_per_channel", data, bit_width))
        assert (best <= whole * (1 + 1e-4)).all()

    def test_heavy_tails_are_clipped_for_less_error(self) -> None:
        data = weight(5 * BINS)[[0, 5, 6]]
        best = errors(data, fitted("affine_mse_per_channel", data, 3))
        whole = errors(data, fitted("affine_per_channel", data, 3))
        assert (best < 0.6 * whole).all()

    def test_it_is_close_to_the_best_of_all_ranges_tried_by_brute_force(self) -> None:
        data = weight(300)[[0, 1, 2]]
        low, high = Channels(lambda: data).bounds
        least = np.full(3, np.inf)
        shares = np.linspace(0.02, 1, 50)
        for a in shares:
            for b in shares:
                tried = affine_per_channel.spread(a * low, b * high, bit_width=3)
                least = np.minimum(least, errors(data, tried))
        assert (errors(data, fitted("affine_mse_per_channel", data, 3)) <= 1.1 * least).all()

    def test_the_sketch_of_a_large_channel_counts_every_value(self) -> None:
        data = weight(5 * BINS)
        sketch = Channels(lambda: data).sketch
        assert sketch.values.shape == sketch.counts.shape == (7, BINS)
        assert (sketch.counts.sum(axis=1) == 5 * BINS).all()
        # the channel of zeros has no width, so its one value is the centre of its first bin
        means = (sketch.values * sketch.counts).sum(axis=1) / (5 * BINS)
        widths = (data.max(axis=1) - data.min(axis=1)) / BINS
        assert (np.abs(means - data.mean(axis=1)) <= np.maximum(widths, 1e-3)).all()

    def test_one_of_a_small_channel_is_the_channel(self) -> None:
        data = weight()
        assert Channels(lambda: data).sketch.values is data

    def test_a_weight_is_read_only_when_it_is_fitted(self) -> None:
        reads: list[int] = []

        def read() -> np.ndarray:
            reads.append(1)
            return weight()

        calibration = dataclasses.replace(calibrated(weight()), weights={"w": Channels(read)})
        assert not reads
        affine_per_channel.fit(calibration, "w", bit_width=4)
        affine_per_channel.fit(calibration, "w", bit_width=8)
        assert len(reads) == 1
