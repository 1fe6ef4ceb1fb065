"""Measures a trial with every point quantized against a float pass, in one run, in turns.

One JSON line per quantizer: the ratio of the medians. The embedded network is tiny, so that what a
quantizer costs beside its arithmetic shows most; VGG-16 at full size shows the arithmetic.
"""

import json
import time
from collections.abc import Mapping
from statistics import median

import torch
import torchvision
from torch import Tensor
from torch import nn
from torch.export import ExportedProgram

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.preprocessing import Preprocessing
from search.quantization import quantizer
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fake_quantize import Operator
from search.quantization.fitted import FittedOptions
from workers.datasets import catalog
from workers.models.registry import open_models
from workers.settings import WorkerSettings

BITS = 4
TURNS = 7
CPU = torch.device("cpu")


def main() -> None:
    """Print the figures of both networks."""
    torch.manual_seed(0)
    settings = WorkerSettings()
    around = catalog.surroundings(settings)
    digits = torch.from_numpy(catalog.read("digits", around, preprocessing=Preprocessing()).pixels)
    report(
        "digits-vgg",
        open_models(settings.model_root).load("digits-vgg").network,
        digits[:128],
    )
    report("vgg16", torchvision.models.vgg16(weights=None), torch.rand(4, 3, 224, 224))


def report(name: str, model: nn.Module | ExportedProgram, images: Tensor) -> None:
    """Print one line per quantizer."""
    network = capture(model, images[:2])
    options = FittedOptions(calibrate(network, lambda: [images], bit_widths=(BITS,)), CPU)
    for offered in quantizer.registered():
        config = QuantizerConfig(offered.name, BITS)
        operators = options.operators(BitAllocation.uniform(network.points, config))
        float_times, quantized_times = [], []
        for _ in range(TURNS):
            float_times.append(timed(network, images, operators={}))
            quantized_times.append(timed(network, images, operators=operators))
        line = {
            "benchmark": "quantized_pass",
            "model": name,
            "quantizer": offered.name,
            "float_ms": round(1e3 * median(float_times), 2),
            "quantized_ms": round(1e3 * median(quantized_times), 2),
            "ratio": round(median(quantized_times) / median(float_times), 3),
        }
        print(json.dumps(line))


@torch.inference_mode()
def timed(network: CapturedNetwork, images: Tensor, *, operators: Mapping[str, Operator]) -> float:
    """Return the seconds of one pass after a warm one."""
    network.load(operators)
    network(images)
    started = time.perf_counter()
    network(images)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
