"""Every family of torchvision's classifiers is captured faithfully, at an input it allows."""

from collections.abc import Mapping

import pytest
import torch
import torchvision
from torch import nn

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizerConfig
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.operators import VALUE_KEEPING
from tests.search.quantization.test_capture import randomized

#: name -> input side; small where the architecture allows
SMALL = {
    "alexnet": 64,
    "vgg11": 32,
    "vgg13_bn": 32,
    "vgg16_bn": 32,
    "vgg19": 32,
    "resnet18": 32,
    "resnet50": 32,
    "resnext50_32x4d": 32,
    "wide_resnet50_2": 32,
    "densenet121": 32,
    "googlenet": 64,
    "inception_v3": 96,
    "squeezenet1_0": 64,
    "squeezenet1_1": 64,
    "mobilenet_v2": 32,
    "mobilenet_v3_small": 32,
    "mobilenet_v3_large": 32,
    "shufflenet_v2_x0_5": 32,
    "mnasnet0_5": 32,
    "efficientnet_b0": 32,
    "efficientnet_v2_s": 32,
    "regnet_x_400mf": 32,
    "regnet_y_400mf": 32,
    "convnext_tiny": 32,
    "vit_b_16": 32,
    "swin_t": 32,
    "swin_v2_t": 32,
    "maxvit_t": 224,
}
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "googlenet": {"init_weights": False, "aux_logits": False},
    "inception_v3": {"init_weights": False, "aux_logits": False},
    "vit_b_16": {"image_size": 32},
}


@pytest.fixture(scope="module", params=SMALL)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, CapturedNetwork, torch.Tensor]:
    name: str = request.param
    torch.manual_seed(1)
    build = getattr(torchvision.models, name)
    model = randomized(build(weights=None, num_classes=10, **OPTIONS.get(name, {})))
    images = torch.randn(2, 3, SMALL[name], SMALL[name])
    return model, capture(model, images), images


Case = tuple[nn.Module, CapturedNetwork, torch.Tensor]


def test_the_float_output_is_unchanged_for_another_batch_size(case: Case) -> None:
    model, network, images = case
    three = torch.cat([images, images[:1] * 0.5])
    with torch.inference_mode():
        expected, output = model(three), network(three)
    assert float((output - expected).abs().max()) <= 1e-4 * max(1, float(expected.abs().max()))


def test_no_layer_is_left_out_and_sizes_are_those_seen_by_hooks(case: Case) -> None:
    model, network, images = case
    seen: dict[str, int] = {}
    hooks = [
        module.register_forward_hook(
            lambda _, __, output, name=name: seen.update({name: output.numel() // len(images)})
        )
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with torch.inference_mode():
        model(images)
    for hook in hooks:
        hook.remove()
    # in Swin v2 a small network computes the position bias from constants, once for all images
    expected = {name: size for name, size in seen.items() if ".cpb_mlp." not in name}
    points = {point.name: point.elements for point in network.points}
    assert {name: points.get(name) for name in expected} == expected


def test_everything_can_be_quantized_and_nothing_twice(case: Case) -> None:
    _, network, images = case
    assert len({point.name for point in network.points}) == len(network.points)
    calibration = calibrate(network, lambda: [images], bit_widths=(8,))
    options = FittedOptions(calibration, torch.device("cpu"))
    everything = BitAllocation.uniform(network.points, QuantizerConfig("affine", 8))
    with torch.inference_mode():
        network.load(options.operators(everything))
        assert bool(torch.isfinite(network(images)).all())
        network.load({})
    for node in network.module.graph.nodes:
        if str(node.target).startswith("quantize_"):
            source = node.args[0]
            # back through everything that makes no new values
            while source.target in VALUE_KEEPING or str(source.target).startswith("observe_"):
                source = source.args[0]
            assert not str(source.target).startswith("quantize_")


def test_every_weight_is_a_point(case: Case) -> None:
    model, network, _ = case
    points = {point.name: point.elements for point in network.weight_points()}
    assert {layer.weight: layer.weights for layer in network.structure.layers} == points
    # as above, but for the small network in Swin v2
    modules = [module for name, module in model.named_modules() if ".cpb_mlp." not in name]
    layers = [m.weight.numel() for m in modules if isinstance(m, nn.Conv2d | nn.Linear)]
    inside = [m.in_proj_weight.numel() for m in modules if isinstance(m, nn.MultiheadAttention)]
    assert sum(points.values()) == sum(layers) + sum(inside)


def test_rounding_all_weights_changes_the_output_until_they_are_let_go(case: Case) -> None:
    _, network, images = case
    calibration = calibrate(network, list, bit_widths=(2,), kinds=(Kind.WEIGHT,))
    config = QuantizerConfig("affine_per_channel", 2)
    options = FittedOptions(calibration, torch.device("cpu"))
    with torch.inference_mode():
        network.load({})
        before = network(images)
        network.load(options.operators(BitAllocation.uniform(network.weight_points(), config)))
        rounded = network(images)
        network.load({})
        assert torch.equal(network(images), before)
    assert bool(torch.isfinite(rounded).all())
    # a new ViT has a head of zeros, which stay what they are
    assert before.any() != torch.allclose(rounded, before, rtol=1e-3)


def test_every_point_is_known_to_the_structure(case: Case) -> None:
    _, network, _ = case
    names = {point.name for point in network.points}
    structure = network.structure
    assert {name for join in structure.joins for name in join} <= names
    assert all(len(join) > 1 for join in structure.joins)
    assert len(structure.alive) == len(names)
    assert set().union(*structure.alive) == names
    assert {layer.point for layer in structure.layers} <= names
