"""A wall clock that can be set wrong within one process: `python -m benchmarks.chaos.clock`.

Runs the nursery with its functions of `time` and `datetime` replaced before anything else is
loaded. They tell the truth until a worker, once forked, calls `shift`. What only ever measures
how much time has passed is left alone, as a wrong clock would leave it.
"""

import datetime as dt
import time
from typing import Self

_time, _time_ns, _clock_gettime = time.time, time.time_ns, time.clock_gettime
_gmtime, _localtime = time.gmtime, time.localtime
_datetime = dt.datetime
_off = {"seconds": 0.0}


def shift(seconds: float) -> None:
    """Set the clock wrong by that much, from now on."""
    _off["seconds"] = seconds


def install() -> None:
    """Replace whatever reads the wall clock."""
    time.time = lambda: _time() + _off["seconds"]
    time.time_ns = lambda: _time_ns() + int(_off["seconds"] * 1e9)
    time.clock_gettime = _read
    time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)
    # as an entry of the module, because a type checker knows it for a type
    vars(dt)["datetime"] = ShiftedDatetime


def _read(which: int) -> float:
    return _clock_gettime(which) + (_off["seconds"] if which == time.CLOCK_REALTIME else 0.0)


class _AnyDatetime(type):
    """Makes those that C code makes instances, too."""

    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, _datetime)


class ShiftedDatetime(_datetime, metaclass=_AnyDatetime):
    """A datetime whose `now` is that of the clock set wrong."""

    # as large as the one it stands for, which C code checks
    __slots__ = ()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """Return the moment that the clock tells."""
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Self:
        """Return that moment in UTC, without saying so."""
        return cls.now(dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Self:
        """Return that moment in local time."""
        return cls.now()


def main() -> None:
    """Run the nursery with a clock that can be set wrong."""
    from benchmarks.chaos import clock  # noqa: PLC0415 - itself, by the name others know it by

    clock.install()
    from benchmarks.chaos import nursery  # noqa: PLC0415 - not before the clock is replaced

    nursery.main()


if __name__ == "__main__":
    main()
