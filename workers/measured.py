"""What is measured of a network before the search, with as much memory as there is."""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping

from torch import Tensor

from search.allocation import Kind
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import FittedOptions
from search.quantization.gradients import BATCH
from search.quantization.quantizer import Calibration
from search.quantization.sensitivity import measure
from search.rules import Menu
from search.sensitivity import Sensitivity
from workers.data import Split
from workers.evaluators.interruptible import checked
from workers.memory import Room
from workers.memory import halved_if_short
from workers.menus import bit_widths


def calibration(
    network: CapturedNetwork,
    split: Split,
    *,
    menus: Mapping[str, Menu],
    kinds: Collection[Kind],
    room: Room,
) -> Calibration:
    """Return the calibration for these options over the split.

    Raises NonFiniteActivations, and what `room.check` raises.
    """
    widths = bit_widths(menus)

    def work(at_once: int) -> Calibration:
        def batches() -> Iterator[Tensor]:
            return (images for images, _ in checked(split.batches(at_once), room.check))

        return calibrate(network, batches, bit_widths=widths, kinds=kinds)

    return room.work(room.batch, work)


def sensitivity(  # noqa: PLR0913 - what is measured, on what, and how much of it at once
    network: CapturedNetwork,
    split: Split,
    *,
    options: FittedOptions,
    menus: Mapping[str, Menu],
    top: int,
    room: Room,
) -> Sensitivity:
    """Return what every option does to the margins of the split's images.

    Raises what `room.check` raises.
    """

    def work(at_once: int) -> Sensitivity:
        batches = checked(split.batches(BATCH), room.check)
        return measure(network, batches, options=options, menus=menus, top=top, at_once=at_once)

    # a backward pass needs more than a forward one, and takes fewer images to begin with
    return halved_if_short(BATCH, work)
