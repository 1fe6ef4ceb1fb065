"""Shares the tests among processes by class or module; those that start many go to one of them."""

from xdist.scheduler import LoadScopeScheduling

#: they start clusters and crews of workers, look at how long those take, and starve one another
CROWDS = (
    "tests/benchmarks/chaos/test_faults.py::",
    "tests/deployment/test_compose.py::TestRay::",
    "tests/workers/cluster/",
)


def scope(nodeid: str) -> str:
    """Return what one process runs together with this test: its class or module, or all crowds."""
    return "crowds" if nodeid.startswith(CROWDS) else nodeid.rsplit("::", 1)[0]


class Shared(LoadScopeScheduling):  # type: ignore[misc]  # the plugin ships no types
    """Gives a process that is free the next scope."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
