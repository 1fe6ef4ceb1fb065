"""Weights are points of their own: rounded as by hand, once, and shared ones once for all."""

from collections.abc import Sequence
from math import prod

import pytest
import torch
from torch import Tensor
from torch import nn
from torch.nn.utils import parametrizations

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import NonFiniteActivations
from search.errors import UnsupportedNetwork
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.quantizer import Calibration
from tests.search.quantization.test_capture import Small
from tests.search.quantization.test_capture import randomized

CPU = torch.device("cpu")
WEIGHTS = frozenset({Kind.WEIGHT})
QUANTIZERS = (
    "affine",
    "affine_mse",
    "affine_percentile",
    "affine_per_channel",
    "affine_mse_per_channel",
    "codebook",
    "codebook_bounded",
    "fixed_point",
    "fixed_point_shared",
)


def calibrated(network: CapturedNetwork, *bit_widths: int) -> Calibration:
    """Return what is known of the weights, which need no images."""
    return calibrate(network, list, bit_widths=bit_widths, kinds=WEIGHTS)


def options(network: CapturedNetwork, *bit_widths: int) -> FittedOptions:
    return FittedOptions(calibrated(network, *bit_widths), CPU)


def weight(name: str, *shape: int) -> QuantizationPoint:
    return QuantizationPoint(name, prod(shape), Kind.WEIGHT)


def loaded(network: CapturedNetwork, quantizer: str, bits: int, *names: str) -> None:
    """Quantize the named weights, or all."""
    chosen = names or tuple(point.name for point in network.weight_points())
    allocation = BitAllocation.of({name: QuantizerConfig(quantizer, bits) for name in chosen})
    network.load(options(network, bits).operators(allocation))


class Plain(nn.Module):
    """Two convolutions and a linear layer, without batch-norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.grouped = nn.Conv2d(4, 8, 3, groups=2)
        self.head = nn.Linear(8 * 16, 5)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.relu(self.grouped(self.first(images).relu())).flatten(1))
        return logits


IMAGES = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))


class TestPoints:
    network = capture(Plain().eval(), IMAGES)

    def test_every_layer_has_one_named_after_it(self) -> None:
        assert self.network.weight_points() == (
            weight("first.weight", 4, 3, 3, 3),
            weight("grouped.weight", 8, 2, 3, 3),
            weight("head.weight", 5, 128),
        )

    def test_activations_come_first_and_only_what_is_asked_for(self) -> None:
        network = self.network
        assert network.all_points({Kind.ACTIVATION}) == network.points
        assert network.all_points(WEIGHTS) == network.weight_points()
        assert network.all_points([*Kind]) == (*network.points, *network.weight_points())

    def test_nothing_changes_while_nothing_is_loaded(self) -> None:
        self.network.load({})
        assert torch.equal(self.network(IMAGES), Plain().eval()(IMAGES))


class TestLoad:
    @pytest.mark.parametrize("quantizer", QUANTIZERS)
    def test_it_computes_what_the_module_does_with_weights_quantized_by_hand(
        self, quantizer: str
    ) -> None:
        model = Plain().eval()
        network = capture(Plain().eval(), IMAGES)
        fitted = options(network, 3)
        for name, parameter in model.named_parameters():
            if name.endswith("weight"):
                rounded = fitted.operators(BitAllocation.of({name: QuantizerConfig(quantizer, 3)}))[
                    name
                ](parameter.detach())
                assert len(torch.unique(rounded)) < len(torch.unique(parameter))
                parameter.data = rounded
        loaded(network, quantizer, 3)
        assert torch.equal(network(IMAGES), model(IMAGES))

    def test_a_scale_for_every_channel_is_what_torch_makes_of_it(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        loaded(network, "affine_per_channel", 4)
        model = Plain().eval()
        for module in (model.first, model.grouped, model.head):
            observer = torch.ao.quantization.PerChannelMinMaxObserver(
                dtype=torch.quint8, quant_min=0, quant_max=15, eps=1e-12
            )
            observer(module.weight.detach())
            scales, zero_points = observer.calculate_qparams()
            module.weight.data = torch.fake_quantize_per_channel_affine(
                module.weight.data, scales, zero_points.int(), 0, 0, 15
            )
        assert torch.allclose(network(IMAGES), model(IMAGES), atol=1e-5)

    def test_the_folded_weight_is_what_is_quantized(self) -> None:
        model = randomized(Small())
        network = capture(model, torch.rand(2, 1, 8, 8))
        convolution, norm = model.get_submodule("body.0"), model.get_submodule("body.1")
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_var is not None
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        folded = (convolution.weight * factor[:, None, None, None]).detach()
        assert torch.allclose(network.weights[0].tensor, folded, atol=1e-6)
        histogram = calibrated(network, 4).histograms["body.0.weight"]
        assert histogram.low == pytest.approx(float(folded.min()), rel=1e-5)
        assert histogram.counts.sum() == folded.numel()

    def test_a_weight_is_rounded_once_until_its_option_changes(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        seen: list[str] = []

        def to_zero(x: Tensor) -> Tensor:
            seen.append("zero")
            return x * 0

        def to_one(x: Tensor) -> Tensor:
            seen.append("one")
            return x * 0 + 1

        for operator in (to_zero, to_zero, to_one, to_one, to_zero):
            network.load({"head.weight": operator})
            with torch.inference_mode():
                network(IMAGES)
                network(IMAGES)
        assert seen == ["zero", "one", "zero"]

    def test_what_was_rounded_for_inference_serves_gradients_too(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        loaded(network, "affine", 2)
        images = IMAGES.clone().requires_grad_()
        with torch.inference_mode():
            expected = network(IMAGES)
        output = network(images)
        output.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        assert torch.equal(output, expected)
        assert images.grad is not None


class Sharing(nn.Module):
    """One weight under two names, and one layer that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
        self.b.weight = self.a.weight
        self.c = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.c(torch.relu(self.c(torch.relu(self.b(torch.relu(self.a(x)))))))
        return y


class TestShared:
    network = capture(Sharing().eval(), torch.rand(2, 4))

    def test_it_is_one_point_named_after_its_first_layer(self) -> None:
        assert [p.name for p in self.network.points] == ["a", "b", "c", "c@2"]
        assert self.network.weight_points() == (weight("a.weight", 4, 4), weight("c.weight", 4, 4))

    def test_every_layer_knows_it(self) -> None:
        known = {layer.point: layer.weight for layer in self.network.structure.layers}
        assert known == {"a": "a.weight", "b": "a.weight", "c": "c.weight", "c@2": "c.weight"}

    def test_it_is_rounded_for_all_who_read_it(self) -> None:
        x = torch.rand(3, 4)
        loaded(self.network, "affine", 2, "a.weight")
        model = Sharing().eval()
        model.a.weight.data = options(self.network, 2).operators(
            BitAllocation.of({"a.weight": QuantizerConfig("affine", 2)})
        )["a.weight"](model.a.weight.detach())
        assert torch.equal(self.network(x), model(x))
        self.network.load({})

    def test_folding_different_batch_norms_into_it_makes_it_two(self) -> None:
        class Twice(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Conv2d(2, 2, 1)
                self.first, self.second = nn.BatchNorm2d(2), nn.BatchNorm2d(2)

            def forward(self, x: Tensor) -> Tensor:
                x = torch.relu(self.first(self.layer(x)))
                y: Tensor = self.second(self.layer(x)).mean((2, 3))
                return y

        network = capture(randomized(Twice()), torch.rand(2, 2, 3, 3))
        names = [point.name for point in network.weight_points()]
        assert names == ["layer.weight", "layer@2.weight"]


class FromImages(nn.Module):
    """A linear layer whose weight depends on what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.weight = nn.Parameter(torch.rand(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        y: Tensor = nn.functional.linear(x, self.weight * x.mean())
        return y


class TestComputed:
    def test_a_weight_made_of_parameters_is_computed_once_and_then_a_constant(self) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(
            parametrizations.weight_norm(nn.Conv2d(2, 3, 3)), nn.BatchNorm2d(3), nn.ReLU()
        )
        images = torch.rand(3, 2, 4, 4)
        network = capture(randomized(model), images)
        targets = [str(node.target) for node in network.module.graph.nodes]
        assert not any("weight_norm" in target or "batch_norm" in target for target in targets)
        with torch.inference_mode():
            assert torch.allclose(network(images), model(images), atol=1e-5)
        assert network.weight_points() == (weight("0.weight", 3, 2, 3, 3),)
        loaded(network, "affine", 1)
        assert not torch.allclose(network(images), model(images), atol=1e-2)

    def test_one_made_of_images_is_refused_if_weights_are_asked_for(self) -> None:
        network = capture(FromImages().eval(), torch.rand(2, 4))
        assert [p.name for p in network.all_points({Kind.ACTIVATION})] == ["layer", "linear"]
        with pytest.raises(UnsupportedNetwork, match=r"linear: its weight is computed from the im"):
            network.all_points(WEIGHTS)
        with pytest.raises(UnsupportedNetwork, match=r"quantize activations"):
            options(network, 4)


class TestCalibrate:
    def batches(self) -> Sequence[Tensor]:
        return [IMAGES]

    def test_activations_alone_do_not_look_at_weights(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        calibration = calibrate(network, self.batches, bit_widths=(4,))
        assert [*calibration.histograms] == [point.name for point in network.points]
        assert not calibration.weights

    def test_weights_alone_need_no_images(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        calibration = calibrated(network, 4)
        assert [*calibration.histograms] == [point.name for point in network.weight_points()]
        values = calibration.channels("grouped.weight").read()
        assert values.shape == (8, 18)

    def test_both_come_in_the_order_of_the_points(self) -> None:
        network = capture(Plain().eval(), IMAGES)
        calibration = calibrate(network, self.batches, bit_widths=(4,), kinds=[*Kind])
        assert [*calibration.histograms] == [point.name for point in network.all_points([*Kind])]

    def test_a_weight_that_is_not_a_number_is_named(self) -> None:
        model = Plain().eval()
        model.head.weight.data[0, 0] = float("nan")
        with pytest.raises(NonFiniteActivations, match=r"head\.weight"):
            options(capture(model, IMAGES), 4)
