"""A thread beside the API that ends jobs whose worker was lost, though no other worker claims."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine

from service.store import leases

PAUSE = 5.0  # seconds between two looks
THREAD_NAME = "lapses"
GRACE = 1.0  # seconds to stop in

_log = structlog.get_logger(__name__)


@contextmanager
def ending(engine: Engine, *, pause: float = PAUSE) -> Iterator[None]:
    """End such jobs while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_keep_ending,
        args=(engine, stop),
        kwargs={"pause": pause},
        name=THREAD_NAME,
        # a database that does not answer does not keep the process from ending
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(GRACE)


def _keep_ending(engine: Engine, stop: threading.Event, *, pause: float) -> None:
    while not stop.wait(pause):
        try:
            ended = leases.end_lapsed(engine)
        except Exception as error:  # noqa: BLE001 - the thread outlives whatever goes wrong once
            _log.warning("cannot end lapsed jobs", error=str(error) or type(error).__name__)
            continue
        if ended:
            _log.warning("ended jobs whose worker was lost", jobs=ended)
