"""A clock set wrong: in a process of its own, for whatever is loaded after it was replaced."""

import json
import subprocess
import sys
import time

PROGRAM = """
import json
from benchmarks.chaos import clock
before = clock.time.monotonic()
clock.install()
clock.shift({shift})
import time
from datetime import UTC, date, datetime
import structlog
stamp = structlog.processors.TimeStamper(fmt=None)(None, "", {{}})["timestamp"]
moments = [
    time.time(), time.time_ns() / 1e9, time.clock_gettime(time.CLOCK_REALTIME),
    time.mktime(time.localtime()), datetime.now().timestamp(), datetime.now(UTC).timestamp(),
    datetime.today().timestamp(), stamp,
]
assert isinstance(datetime(2026, 1, 1).replace(day=2), datetime)
print(json.dumps([time.monotonic() - before, *moments]))
"""


def told(shift: float) -> list[float]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM.format(shift=shift)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return list(json.loads(done.stdout))


class TestClock:
    def test_every_way_to_ask_for_the_time_is_wrong_alike(self) -> None:
        for shift in (3600.0, -3600.0):
            began = time.time()
            _, *moments = told(shift)
            ended = time.time()
            # one of them tells whole seconds
            assert all(began - 1 <= moment - shift <= ended for moment in moments)

    def test_time_passes_as_ever(self) -> None:
        began = time.monotonic()
        passed, *_ = told(3600.0)
        assert 0 <= passed <= time.monotonic() - began
