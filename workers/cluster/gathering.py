"""Who of many is there in time, when nobody knows how long it takes the first one."""

from collections.abc import Callable
from collections.abc import Collection
from time import monotonic
from typing import TypeVar

Found = TypeVar("Found")


def in_time(
    look: Callable[[], Collection[Found]],
    *,
    wanted: int,
    patience: float,
    clock: Callable[[], float] = monotonic,
) -> Collection[Found]:
    """Look until `wanted` are there, or `patience` seconds after the first one was; return them.

    What all of them take, such as to load PyTorch from a slow disk, keeps the first one too, and
    says nothing of the others. `look` may take a while, and may raise to interrupt.
    """
    end: float | None = None
    while True:
        found = look()
        if len(found) >= wanted or (end is not None and clock() >= end):
            return found
        if found and end is None:
            end = clock() + patience
