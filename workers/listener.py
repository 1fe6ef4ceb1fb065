"""Listens for new jobs beside the worker and comes back by itself when the connection breaks."""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from service.store import wakes
from service.store.errors import StoreError

log = structlog.get_logger()

FIRST_PAUSE = 0.5  # seconds before another connection is tried; doubles
LONGEST_PAUSE = 15.0  # seconds


class Listener:
    """A thread that rings between `start` and `stop`; over SQLite there is none.

    Without it, or while its connection is broken, the worker still looks every now and then.
    """

    def __init__(self, engine: Engine, ring: Callable[[], object]) -> None:
        self._engine = engine
        self._ring = ring
        self._stop = threading.Event()

    def start(self) -> None:
        """Listen from now on, until the process ends or `stop` is called."""
        if wakes.can_listen(self._engine):
            threading.Thread(target=self._listen, name="listener", daemon=True).start()

    def stop(self) -> None:
        """Ring no more, soon."""
        self._stop.set()

    def _listen(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            heard = threading.Event()

            def ring(heard: threading.Event = heard) -> None:
                heard.set()
                self._ring()

            try:
                wakes.listen(self._engine, ring, wanted=lambda: not self._stop.is_set())
            except StoreError as error:
                if heard.is_set():
                    pause = FIRST_PAUSE
                log.warning("hears of no new jobs and looks for them", why=str(error))
                self._stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
