"""Writes the table of docs/networks.md: `python -m tools.networks_table docs/networks.md`.

Captures every classifier of torchvision at the input size of its own weights, without the weights,
and checks that the float output is the model's. Takes minutes; the largest need 4 GB of memory.
"""

import sys
from pathlib import Path

import torch
from torchvision import models

from search.errors import UnsupportedNetwork
from search.quantization.capture import capture

START, END = "<!-- table -->", "<!-- end of table -->"
#: beyond these the machine needs more memory than the table is worth; their smaller kin are in it
TOO_LARGE = ("vit_h_14", "regnet_y_128gf")
HEADER = (
    "| network | input | points | values an image | float32 | joins |\n|---|---|---|---|---|---|"
)


def main() -> None:
    """Replace what stands between the two marks of the file."""
    path = Path(sys.argv[1])
    text = path.read_text()
    head, rest = text.split(START)
    tail = rest.split(END)[1]
    rows = [row(name) for name in models.list_models(module=models) if name not in TOO_LARGE]
    path.write_text("\n".join([head + START, HEADER, *rows, END + tail]))


def row(name: str) -> str:
    """Return one line of the table."""
    torch.manual_seed(0)
    side = models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    model = models.get_model(name, weights=None, **options)
    try:
        network = capture(model, torch.randn(2, 3, side, side))
    except UnsupportedNetwork as error:
        return f"| {name} | {side}×{side} | {error} | | | |"
    values = sum(point.elements for point in network.points)
    print(name, len(network.points), values, flush=True)
    return (
        f"| {name} | {side}×{side} | {len(network.points)} | {values:,} "
        f"| {values * 4 / 1e6:.2f} MB | {len(network.structure.joins)} |"
    )


if __name__ == "__main__":
    main()
