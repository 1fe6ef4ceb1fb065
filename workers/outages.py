"""Waits out a database that goes away or fills its disk, for the attempt's lease may outlast it."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import DatabaseUnreachable

log = structlog.get_logger()

Found = TypeVar("Found")

FIRST_PAUSE = 0.1  # seconds; doubles
LONGEST_PAUSE = 2.0  # seconds


def outlast(
    do: Callable[[], Found],
    *,
    check: Callable[[], None],
    wait: Callable[[float], None] = time.sleep,
) -> Found:
    """Do it until the database has answered; `check` may raise to give up between two tries.

    What is done must bear being done again: a commit whose answer was lost may have gone through.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return do()
        except (DatabaseUnreachable, DatabaseBusy, DatabaseFull) as error:
            log.warning("the database cannot be used; trying again", why=str(error), pause=pause)
        check()
        wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
