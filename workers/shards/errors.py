"""What can go wrong where a job's images are evaluated by several.

WorkerError
├── ShardFailed         a part of the work failed in a way that it always will
├── ShardsDiffer        not all would evaluate the same network on the same images
└── ClusterUnreachable  there is no Ray cluster at the address, or Ray is not installed
ShardsLost              whoever does a part of the work is lost over it
ClusterLost             the Ray cluster is gone; another attempt waits for it
"""

from workers.errors import WorkerError


class ShardFailed(WorkerError):
    """A part of the work failed in a way that it always will; the code is that of the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ShardsDiffer(WorkerError):
    """Not all evaluators have the same network and the same images."""

    code = "shards-differ"

    def __init__(self, what: str, where: str) -> None:
        super().__init__(
            f"{what} of the evaluator on {where} is not that of this worker; give every node of "
            "the cluster the same release, packages, model root and data root"
        )


class ClusterUnreachable(WorkerError):
    """There is no Ray cluster at the address, or Ray is not installed."""

    code = "cluster-unreachable"

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"the Ray cluster {address} cannot be used: {why}")


class ShardsLost(Exception):
    """Whoever does a part of the work is lost over it; another attempt may do better."""

    def __init__(self, act: str, times: int, *, why: str) -> None:
        super().__init__(f"evaluators were lost {times} times in a row over {act!r}: {why}")


class ClusterLost(Exception):
    """The Ray cluster does not answer any more: no fault of the job's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the Ray cluster {address} does not answer any more")
