"""Sensitivities are measured on a few images, once, and kept by what they were measured on."""

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch

from search.allocation import QuantizerConfig
from search.quantization.capture import CapturedNetwork
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.sensitivity import Sensitivity
from workers import room
from workers.data import Split
from workers.data import raw_bytes
from workers.datasets.cache import DIGEST_SIZE
from workers.datasets.cache import is_whole
from workers.room import DiskFull

log = structlog.get_logger()

FORMAT = 3  # raised when the same contents would be measured otherwise
IMAGES = 256  # of the calibration split; more change the order of the options little


def sample(split: Split) -> Split:
    """Return the images to measure on, spread evenly over the split."""
    count = min(IMAGES, len(split))
    chosen = torch.linspace(0, len(split) - 1, count).round().to(torch.int64)
    return replace(split, index=split.index[chosen])


def key(  # noqa: PLR0913 - all that a measurement depends on
    network: CapturedNetwork,
    split: Split,
    *,
    calibration: Calibration,
    menus: Mapping[str, Menu],
    top: int,
    device: str,
) -> str:
    """Return a name for what a measurement depends on.

    That is the weights, the operators, the images, the options, what these are fitted to, and the
    kind of device.
    """
    seen = hashlib.sha256()
    said = {point: [str(option) for option in menu] for point, menu in menus.items()}
    told = [FORMAT, torch.__version__, network.module.code, said, top, device]
    fitted = [calibration.bit_widths, dict(calibration.upper_bounds)]
    seen.update(json.dumps([*told, *fitted, repr(split.preprocessing)]).encode())
    for name, tensor in sorted(network.module.state_dict().items()):
        seen.update(name.encode())
        seen.update(raw_bytes(tensor))
    for tensor in (split.images[split.index], split.labels[split.index]):
        seen.update(raw_bytes(tensor))
    for point, histogram in calibration.histograms.items():
        seen.update(json.dumps([point, histogram.low, histogram.high]).encode())
        seen.update(histogram.counts.tobytes())
    return seen.hexdigest()


def kept(folder: Path, name: str, *, make: Callable[[], Sensitivity]) -> Sensitivity:
    """Return the sensitivity kept under the name, measured first if there is none.

    A file that is cut off or altered is measured again. Without room it is not kept, which costs
    the next job the time to measure and this one nothing.
    """
    path = folder / f"{name}.sensitivity"
    if path.exists():
        if is_whole(path):
            return of(json.loads(path.read_bytes()[:-DIGEST_SIZE]))
        log.warning("a kept sensitivity is damaged and measured again", file=str(path))
    made = make()
    document = json.dumps(document_of(made)).encode()
    try:
        with room.written(path) as file:
            file.write(document + hashlib.sha256(document).digest())
    except DiskFull as error:
        log.warning("a sensitivity is not kept", why=str(error))
    return made


def document_of(made: Sensitivity) -> dict[str, Any]:
    """Return the sensitivity as it is kept, exactly."""
    return {
        "images": made.images,
        "margins": made.margins.tolist(),
        "energies": {
            point: [[o.quantizer, o.bit_width, energy] for o, energy in by_option.items()]
            for point, by_option in made.energies.items()
        },
    }


def of(document: Mapping[str, Any]) -> Sensitivity:
    """Return the sensitivity of `document_of`."""
    return Sensitivity(
        images=int(document["images"]),
        margins=np.array(document["margins"], dtype=np.float64),
        energies={
            point: {QuantizerConfig(name, int(bits)): float(energy) for name, bits, energy in found}
            for point, found in document["energies"].items()
        },
    )
