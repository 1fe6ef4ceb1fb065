"""The faults by name: each makes one thing happen, at its full size or at a small one."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.chaos import api_killed
from benchmarks.chaos import cache_full
from benchmarks.chaos import cancelled
from benchmarks.chaos import claiming
from benchmarks.chaos import clocks
from benchmarks.chaos import database_full
from benchmarks.chaos import databases
from benchmarks.chaos import killed
from benchmarks.chaos import one_key
from benchmarks.chaos import outlived
from benchmarks.chaos import poison
from benchmarks.chaos import ray_lost
from benchmarks.chaos import report_full
from benchmarks.chaos import restarted
from benchmarks.chaos import upgraded
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground


@dataclass(frozen=True, slots=True)
class Fault:
    """What can be made to happen."""

    long: Callable[[Ground], Figure]
    #: None: where it takes more than a test may, and another test has the same happen
    short: Callable[[Ground], Figure] | None
    databases: tuple[str, ...] = databases.KINDS


FAULTS: Mapping[str, Fault] = {
    "killed": Fault(
        partial(killed.run, sizes=killed.LONG), partial(killed.run, sizes=killed.SHORT)
    ),
    "api-killed": Fault(
        partial(api_killed.run, sizes=api_killed.LONG),
        partial(api_killed.run, sizes=api_killed.SHORT),
    ),
    "restarted": Fault(
        partial(restarted.run, sizes=restarted.LONG),
        partial(restarted.run, sizes=restarted.SHORT),
        databases=("postgresql",),
    ),
    "frozen": Fault(
        partial(outlived.frozen, sizes=outlived.LONG),
        partial(outlived.frozen, sizes=outlived.SHORT),
    ),
    "cut-off": Fault(
        partial(outlived.cut_off, sizes=outlived.LONG),
        partial(outlived.cut_off, sizes=outlived.SHORT),
        databases=("postgresql",),
    ),
    "claiming": Fault(
        partial(claiming.run, sizes=claiming.LONG), partial(claiming.run, sizes=claiming.SHORT)
    ),
    "one-key": Fault(
        partial(one_key.run, sizes=one_key.LONG), partial(one_key.run, sizes=one_key.SHORT)
    ),
    "clocks": Fault(
        partial(clocks.run, sizes=clocks.LONG), partial(clocks.run, sizes=clocks.SHORT)
    ),
    "cancelled": Fault(
        partial(cancelled.run, sizes=cancelled.LONG), partial(cancelled.run, sizes=cancelled.SHORT)
    ),
    "upgraded": Fault(
        partial(upgraded.run, sizes=upgraded.LONG), partial(upgraded.run, sizes=upgraded.SHORT)
    ),
    "disk-full-database": Fault(
        partial(database_full.run, sizes=database_full.LONG),
        partial(database_full.run, sizes=database_full.SHORT),
    ),
    "disk-full-cache": Fault(
        partial(cache_full.run, sizes=cache_full.LONG),
        partial(cache_full.run, sizes=cache_full.SHORT),
    ),
    "disk-full-report": Fault(
        partial(report_full.run, sizes=report_full.LONG),
        partial(report_full.run, sizes=report_full.SHORT),
    ),
    "poison": Fault(
        partial(poison.run, sizes=poison.LONG), partial(poison.run, sizes=poison.SHORT)
    ),
    # tests/workers/cluster/test_ray.py kills actors and nodes
    "ray-actor": Fault(partial(ray_lost.actor, sizes=ray_lost.LONG), None),
    "ray-node": Fault(partial(ray_lost.node, sizes=ray_lost.LONG), None),
    "ray-head": Fault(
        partial(ray_lost.head, sizes=ray_lost.LONG_HEAD), None, databases=("postgresql",)
    ),
}
