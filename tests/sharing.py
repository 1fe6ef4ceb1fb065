"""Shares the tests among processes by class or module, and all that start Ray go to one of them."""

from xdist.scheduler import LoadScopeScheduling

#: two clusters at once starve each other, and one after the other each has to be started
CLUSTER = ("tests/workers/cluster/", "tests/deployment/test_compose.py::TestRay::")


def scope(nodeid: str) -> str:
    """Return what one process runs together with this test: its class or module, or all of Ray."""
    return "cluster" if nodeid.startswith(CLUSTER) else nodeid.rsplit("::", 1)[0]


class Shared(LoadScopeScheduling):  # type: ignore[misc]  # the plugin ships no types
    """Gives a process that is free the next scope."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
