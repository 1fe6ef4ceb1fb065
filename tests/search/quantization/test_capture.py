"""Capture changes nothing until a quantizer is on, and marks what a fused runtime would store."""

import pytest
import torch
import torchvision
from torch import Tensor
from torch import nn

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.errors import NonFiniteActivations
from search.errors import UnsupportedNetwork
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions

CPU = torch.device("cpu")


def randomized(model: nn.Module) -> nn.Module:
    """Give every batch-norm statistics that folding must not lose."""
    torch.manual_seed(3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight):
                assert tensor is not None
                tensor.data.uniform_(0.5, 2)
            for tensor in (module.running_mean, module.bias):
                assert tensor is not None
                tensor.data.normal_()
    return model.eval()


class Small(nn.Module):
    """Convolution, batch-norm, ReLU, pooling, dropout, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.head = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(64, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3)
        )

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images).flatten(1))
        return logits


def small() -> tuple[nn.Module, CapturedNetwork]:
    model = randomized(Small())
    return model, capture(model, torch.rand(2, 1, 8, 8))


class TestCapture:
    def test_points_are_the_stored_tensors_with_their_sizes(self) -> None:
        _, network = small()
        assert [(p.name, p.elements) for p in network.points] == [
            ("body.0", 4 * 8 * 8),  # before pooling
            ("head.1", 6),
            ("head.4", 3),
        ]

    def test_batch_norm_is_folded_away(self) -> None:
        _, network = small()
        targets = {str(node.target) for node in network.module.graph.nodes}
        assert not any("batch_norm" in target or "dropout" in target for target in targets)

    @pytest.mark.parametrize("batch", [1, 2, 7])
    def test_the_output_is_the_float_models_for_any_batch_size(self, batch: int) -> None:
        model, network = small()
        images = torch.rand(batch, 1, 8, 8)
        with torch.inference_mode():
            assert torch.allclose(network(images), model(images), atol=1e-5)

    def test_the_model_itself_is_left_as_it_was(self) -> None:
        model = randomized(Small())
        before = {name: value.clone() for name, value in model.state_dict().items()}
        capture(model, torch.rand(2, 1, 8, 8))
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def test_a_layer_used_twice_gives_two_points(self) -> None:
        class Twice(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, x: Tensor) -> Tensor:
                y: Tensor = self.layer(torch.relu(self.layer(x)))
                return y

        points = capture(Twice(), torch.rand(2, 4)).points
        assert [p.name for p in points] == ["layer", "layer@2"]

    def test_vgg16_has_its_known_points_values_weights_and_products(self) -> None:
        model = torchvision.models.vgg16(weights=None)
        network = capture(model, torch.rand(2, 3, 224, 224))
        assert len(network.points) == 16
        assert sum(point.elements for point in network.points) == 13_556_712
        # 138,357,544 parameters less its 13,416 biases
        assert sum(point.elements for point in network.weight_points()) == 138_344_128
        operators = network.structure.operators(network.points)
        assert sum(operator.macs for operator in operators) == 15_470_264_320

    def test_folding_keeps_vgg11_bn_within_1e_4(self) -> None:
        model = randomized(torchvision.models.vgg11_bn(weights=None, num_classes=10))
        images = torch.rand(2, 3, 64, 64)
        with torch.inference_mode():
            difference = (capture(model, images)(images) - model(images)).abs().max()
        assert float(difference) < 1e-4

    def test_a_graph_that_depends_on_the_data_is_refused(self) -> None:
        class Branching(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, x: Tensor) -> Tensor:
                y: Tensor = self.layer(x) if x.sum() > 0 else x
                return y

        with pytest.raises(UnsupportedNetwork, match="Branching"):
            capture(Branching(), torch.rand(2, 4))

    def test_a_network_without_layers_is_refused(self) -> None:
        with pytest.raises(UnsupportedNetwork, match="no convolution or linear layer"):
            capture(nn.ReLU(), torch.rand(2, 4))

    def test_overwriting_a_tensor_that_others_read_keeps_its_order(self) -> None:
        class Overwriting(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, x: Tensor) -> Tensor:
                y = self.layer(x)
                before = y * 2
                torch.relu_(y)
                after: Tensor = y * 3 + before
                return after

        model, images = Overwriting(), torch.randn(6, 4)
        with torch.inference_mode():
            assert torch.equal(capture(model, images)(images), model(images))

    def test_overwriting_part_of_a_tensor_is_refused_by_name(self) -> None:
        class Partly(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, x: Tensor) -> Tensor:
                y: Tensor = self.layer(x)
                y[:, :2].relu_()
                return y

        with pytest.raises(UnsupportedNetwork, match=r"relu_.* part of a tensor"):
            capture(Partly(), torch.rand(2, 4))

    def test_a_network_that_returns_several_tensors_is_refused(self) -> None:
        class Pair(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
                return self.layer(x), x

        with pytest.raises(UnsupportedNetwork, match="the output: it is a tuple"):
            capture(Pair(), torch.rand(2, 4))

    def test_an_exported_program_is_captured_as_its_model_is(self) -> None:
        model = randomized(Small())
        images = torch.rand(5, 1, 8, 8)
        batch = torch.export.Dim("batch", min=1)
        program = torch.export.export(model, (images,), dynamic_shapes=({0: batch},))
        from_program, from_model = capture(program, images), capture(model, images)
        assert from_program.points == from_model.points
        assert torch.equal(from_program(images), from_model(images))

    def test_a_program_for_one_batch_size_only_is_refused(self) -> None:
        program = torch.export.export(randomized(Small()), (torch.rand(2, 1, 8, 8),))
        with pytest.raises(UnsupportedNetwork, match=r"batches of exactly 2.*dynamic"):
            capture(program, torch.rand(2, 1, 8, 8))


class TestLoad:
    def test_a_point_takes_no_more_values_than_its_bits_allow(self) -> None:
        _, network = small()
        images = torch.rand(20, 1, 8, 8)
        calibration = calibrate(network, lambda: [images], bit_widths=(2,))
        options = FittedOptions(calibration, CPU)
        last = BitAllocation.of({"head.4": QuantizerConfig("affine", 2)})
        network.load(options.operators(last))
        assert len(torch.unique(network(images))) <= 4

    def test_rounding_after_pooling_equals_rounding_before_it(self) -> None:
        _, network = small()
        images = torch.rand(20, 1, 8, 8)
        calibration = calibrate(network, lambda: [images], bit_widths=(2,))
        operators = FittedOptions(calibration, CPU).operators(
            BitAllocation.of({"body.0": QuantizerConfig("codebook", 2)})
        )
        network.load(operators)
        after = network(images)
        nodes = network.module.graph.nodes
        quantize = next(n for n in nodes if n.target == "quantize_body_0")
        pool = quantize.args[0]
        assert "max_pool2d" in str(pool.target)
        # the same graph with the rounding moved to before the pooling
        pool.replace_input_with(pool.args[0], _moved_before(network, pool))
        network.module.recompile()
        network.quantizers["body.0"].operator = None
        assert torch.equal(after, network(images))

    def test_an_empty_allocation_is_the_float_model_again(self) -> None:
        model, network = small()
        images = torch.rand(4, 1, 8, 8)
        calibration = calibrate(network, lambda: [images], bit_widths=(1,))
        everything = BitAllocation.uniform(network.points, QuantizerConfig("affine", 1))
        network.load(FittedOptions(calibration, CPU).operators(everything))
        assert not torch.allclose(network(images), model(images), atol=1e-3)
        network.load({})
        assert torch.allclose(network(images), model(images), atol=1e-5)


def _moved_before(network: CapturedNetwork, pool: torch.fx.Node) -> torch.fx.Node:
    from search.quantization.fake_quantize import FakeQuantize

    early = FakeQuantize()
    early.operator = network.quantizers["body.0"].operator
    network.module.add_submodule("early", early)
    with network.module.graph.inserting_before(pool):
        return network.module.graph.call_module("early", (pool.args[0],))


class TestCalibrate:
    def test_histograms_count_every_value_of_every_image(self) -> None:
        _, network = small()
        batches = [torch.rand(8, 1, 8, 8), torch.rand(5, 1, 8, 8)]
        calibration = calibrate(network, lambda: batches, bit_widths=(4,))
        for point in network.points:
            assert calibration.histograms[point.name].counts.sum() == 13 * point.elements

    def test_the_batch_size_does_not_matter(self) -> None:
        _, network = small()
        images = torch.rand(12, 1, 8, 8)
        whole = calibrate(network, lambda: [images], bit_widths=(4,))
        parts = calibrate(network, lambda: torch.split(images, 5), bit_widths=(4,))
        for point in network.points:
            one, other = whole.histograms[point.name], parts.histograms[point.name]
            assert one.low == pytest.approx(other.low, abs=1e-5)
            # a value on the border of two bins may fall to either side
            moved = abs(one.counts - other.counts).sum() / one.counts.sum()
            assert moved < 0.02

    def test_after_relu_nothing_is_negative(self) -> None:
        model = randomized(Small())
        model.get_submodule("head.4").bias.data.fill_(-9)  # type: ignore[operator]  # a module's attribute may be anything
        network = capture(model, torch.rand(2, 1, 8, 8))
        calibration = calibrate(network, lambda: [torch.rand(4, 1, 8, 8)], bit_widths=(4,))
        assert not calibration.histograms["body.0"].signed
        assert calibration.histograms["head.4"].signed

    def test_a_dead_layer_can_still_be_fitted(self) -> None:
        model = randomized(Small())
        model.get_submodule("head.1").weight.data.zero_()  # type: ignore[operator]  # a module's attribute may be anything
        model.get_submodule("head.1").bias.data.fill_(-1)  # type: ignore[operator]  # a module's attribute may be anything
        network = capture(model, torch.rand(2, 1, 8, 8))
        calibration = calibrate(network, lambda: [torch.rand(4, 1, 8, 8)], bit_widths=(2,))
        options = FittedOptions(calibration, CPU)
        for quantizer in ("affine", "fixed_point", "codebook", "codebook_bounded"):
            allocation = BitAllocation.uniform(network.points, QuantizerConfig(quantizer, 2))
            network.load(options.operators(allocation))
            assert bool(torch.isfinite(network(torch.rand(3, 1, 8, 8))).all())

    def test_not_a_number_is_blamed_on_the_first_layer_that_has_it(self) -> None:
        model = randomized(Small())
        model.get_submodule("head.1").weight.data.fill_(float("nan"))  # type: ignore[operator]  # a module's attribute may be anything
        network = capture(model, torch.rand(2, 1, 8, 8))
        with pytest.raises(NonFiniteActivations, match=r"head\.1"):
            calibrate(network, lambda: [torch.rand(4, 1, 8, 8)], bit_widths=(2,))


class TestFittedOptions:
    def test_an_option_is_fitted_once(self) -> None:
        _, network = small()
        calibration = calibrate(network, lambda: [torch.rand(4, 1, 8, 8)], bit_widths=(2,))
        options = FittedOptions(calibration, CPU)
        config = QuantizerConfig("codebook", 2)
        assert options.parameters("body.0", config) is options.parameters("body.0", config)
        whole = BitAllocation.uniform(network.points, config)
        first, second = options.operators(whole), options.operators(whole)
        assert first["body.0"] is second["body.0"]
