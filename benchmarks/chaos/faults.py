"""The faults, by name: each a function that makes it happen, at its full size and at a small one."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.chaos import databases
from benchmarks.chaos import killed
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground


@dataclass(frozen=True, slots=True)
class Fault:
    """What can be made to happen."""

    long: Callable[[Ground], Figure]
    short: Callable[[Ground], Figure]
    databases: tuple[str, ...] = databases.KINDS


FAULTS: Mapping[str, Fault] = {
    "killed": Fault(
        partial(killed.run, sizes=killed.LONG), partial(killed.run, sizes=killed.SHORT)
    ),
}
