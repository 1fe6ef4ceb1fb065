"""Several shards as one: each is asked for its share of the parts, all at the same time."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Any
from typing import Protocol

from workers.shards.shard import Shard

LOOK = 0.2  # seconds between two looks whether to stop, while shards work


class Shards(Protocol):
    """Who carries out parts of the work: `workers.shards.shard.Shard`s, wherever they are.

    An answer is that of the same method of a Shard in this process. What a shard raises is raised
    here, as far as it can be told across processes. While it waits, an act may be interrupted.
    """

    @property
    def count(self) -> int:
        """How many there are, at least one."""
        ...

    @property
    def device(self) -> str:
        """The kind of device that all of them have."""
        ...

    def each(self, act: str, said: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """Have these of the shards, counted from 0, do the act, each with what is said to it.

        Returns their answers. Raises what a shard raises, and what interrupts.
        """
        ...

    def put(self, value: Any) -> Any:
        """Return what may stand for the value in what is said, so that it is sent only once."""
        ...


class ThreadedShards:
    """Shards of this process, each on a device of its own."""

    def __init__(self, shards: Sequence[Shard], *, check: Callable[[], None]) -> None:
        """`check` is called now and then while shards work, and may raise to interrupt."""
        self._shards = shards
        self._check = check
        self._pool = ThreadPoolExecutor(len(shards), thread_name_prefix="shard")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._shards)

    @property
    def device(self) -> str:
        """The kind of device that all of them have."""
        return self._shards[0].device.type

    def each(self, act: str, said: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """Do the act on these, side by side."""
        self._check()
        asked = {
            shard: self._pool.submit(getattr(self._shards[shard], act), **own)
            for shard, own in said.items()
        }
        while wait(asked.values(), timeout=LOOK, return_when=FIRST_EXCEPTION).not_done:
            if any(one.done() and one.exception() for one in asked.values()):
                break
            self._check()
        failed = (one for one in asked.values() if one.done() and one.exception())
        for one in (*failed, *asked.values()):
            one.result()
        return {shard: one.result() for shard, one in asked.items()}

    def put(self, value: Any) -> Any:
        """Return the value: nothing is sent."""
        return value

    def close(self) -> None:
        """Let the threads end with what they are at."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def threaded(shards: Sequence[Shard], *, check: Callable[[], None]) -> Iterator[ThreadedShards]:
    """Work with the shards of this process, and end their threads in the end."""
    opened = ThreadedShards(shards, check=check)
    try:
        yield opened
    finally:
        opened.close()


def parts(shards: Shards, act: str, *, numbers: Sequence[int], **said: Any) -> list[Any]:
    """Have the shards do these parts, and return what each comes to, in order.

    The same parts go to the same shards each time, for what those keep of them.
    """
    hands: dict[int, list[int]] = {}
    for number in numbers:
        hands.setdefault(number % shards.count, []).append(number)
    told = {shard: {"numbers": hand, **said} for shard, hand in hands.items()}
    answers = shards.each(act, told)
    found = {
        number: answer
        for shard, hand in hands.items()
        for number, answer in zip(hand, answers[shard], strict=True)
    }
    return [found[number] for number in numbers]


def first(shards: Shards, act: str, **said: Any) -> Any:
    """Have the first of them do the act, and return its answer."""
    return shards.each(act, {0: said})[0]
