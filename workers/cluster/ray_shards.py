"""Shards as actors of a Ray cluster: each holds the network and its share of the images.

Ray starts an actor again that was lost with its process or node. Since an act depends on nothing
but what is said, its answer is the same from whomever it comes, and the search notices nothing.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from time import monotonic
from time import sleep
from typing import Any

import structlog

from search.spec import JobSpec
from workers.cluster.connection import Cluster
from workers.cluster.gathering import in_time
from workers.cluster.holder import Failure
from workers.cluster.holder import Holder
from workers.settings import WorkerSettings
from workers.shards.errors import ShardsLost
from workers.shards.shards import LOOK
from workers.shards.wanted import wanted

log = structlog.get_logger()

#: times that an act is repeated whose actor was lost; then the attempt has failed
REPEATS = 6
#: seconds until an actor that was lost is asked again; doubles each time
FIRST_BREAK = 1.0


class RayShards:
    """Shards of a cluster; an act is one message to each actor and one back.

    What an actor was lost over is given to the next at once, since any can do any part; Ray starts
    it again meanwhile, elsewhere if it must, and it is asked again after a while.
    """

    def __init__(
        self,
        ray: Any,
        actors: Sequence[Any],
        *,
        check: Callable[[], None],
        first_break: float = FIRST_BREAK,
    ) -> None:
        """`check` is called now and then while shards work, and may raise to interrupt."""
        self._ray = ray
        self._actors = actors
        self._check = check
        #: when each may be asked, by the monotonic clock, and how long its next break is
        self._free = [0.0] * len(actors)
        self._first_break = first_break
        self._break = [first_break] * len(actors)
        self._device: str = self.each("facts", {0: {}})[0].device

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._actors)

    @property
    def device(self) -> str:
        """The kind of device that all of them have."""
        return self._device

    def each(self, act: str, said: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """Do the act on these, side by side. Raises ShardsLost where nobody survives it."""
        answers: dict[int, Any] = {}
        why = ""
        for _ in range(REPEATS + 1):
            left = {shard: own for shard, own in said.items() if shard not in answers}
            if not left:
                return {shard: answers[shard] for shard in said}
            found, why = self._tried(act, left)
            answers |= found
        raise ShardsLost(act, REPEATS + 1, why=why)

    def put(self, value: Any) -> Any:
        """Return a reference: each node fetches the value once."""
        return self._ray.put(value)

    def _tried(self, act: str, said: Mapping[int, Mapping[str, Any]]) -> tuple[dict[int, Any], str]:
        """Return the answers of those that were not lost, and why the last of the others was."""
        holders = {shard: self._holder(shard) for shard in said}
        self._pause(max(self._free[holder] for holder in holders.values()) - monotonic())
        asked = {
            shard: self._actors[holders[shard]].do.remote(act, **own) for shard, own in said.items()
        }
        waiting = list(asked.values())
        while waiting:
            self._check()
            _, waiting = self._ray.wait(waiting, num_returns=len(waiting), timeout=LOOK)
        answers, why = {}, ""
        for shard, reference in asked.items():
            try:
                answer = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                why = str(error).strip().partition("\n")[0]
                self._lose(holders[shard], why=why)
                continue
            if isinstance(answer, Failure):
                raise answer.error()
            self._break[holders[shard]] = self._first_break
            answers[shard] = answer
        return answers, why

    def _holder(self, shard: int) -> int:
        """Return who does this shard's part: itself, or the next that may be asked the soonest."""
        now, count = monotonic(), self.count
        order = [(shard + step) % count for step in range(count)]
        return min(order, key=lambda holder: max(self._free[holder] - now, 0.0))

    def _lose(self, holder: int, *, why: str) -> None:
        pause = self._break[holder]
        self._free[holder], self._break[holder] = monotonic() + pause, 2 * pause
        log.warning("an evaluator was lost; another does its part", why=why, again_in=pause)

    def _pause(self, seconds: float) -> None:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self._check()
            sleep(min(left, LOOK))


@contextmanager
def opened(
    cluster: Cluster, job: JobSpec, *, settings: WorkerSettings, check: Callable[[], None]
) -> Iterator[RayShards]:
    """Start as many actors as the job wants and the cluster has room for, and end them after it.

    If some cannot be placed in time, because others use the cluster, the job goes on without them:
    what is found does not depend on how many there are.
    """
    ray = cluster.ray
    # what the nodes need not know: above all the database and its password
    settings = settings.model_copy(update={"database_url": ""})
    holder = ray.remote(
        num_cpus=cluster.settings.cpus,
        num_gpus=cluster.gpus,
        max_restarts=-1,
        # another is asked instead, which does not have to start first
        max_task_retries=0,
    )(Holder)
    actors = [holder.remote(job, settings) for _ in range(wanted(job, cluster.room()))]
    try:
        placed = _placed(cluster, actors, check=check)
        log.info("evaluators", wanted=job.parallelism, placed=len(placed))
        yield RayShards(ray, placed, check=check)
    finally:
        for actor in actors:
            # its device is free at once
            ray.kill(actor, no_restart=True)


def _placed(cluster: Cluster, actors: Sequence[Any], *, check: Callable[[], None]) -> list[Any]:
    """Return the actors that are ready in time, at least one; end the others."""
    ready = {actor.ready.remote(): actor for actor in actors}

    def look() -> list[Any]:
        check()
        done: list[Any] = cluster.ray.wait(list(ready), num_returns=len(ready), timeout=LOOK)[0]
        return done

    done = in_time(look, wanted=len(ready), patience=cluster.settings.patience)
    for reference in ready.keys() - set(done):
        cluster.ray.kill(ready[reference], no_restart=True)
    return [actor for reference, actor in ready.items() if reference in done]
