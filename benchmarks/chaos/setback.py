"""A failure with a wrong clock: `python -m benchmarks.chaos.setback URL SECONDS DELAY`.

Claims a job and gives it back to be tried again after the delay, its own clock being wrong by so
many seconds. Prints when it began and ended that, by the monotonic clock.
"""

import json
import subprocess
import sys
import time

from benchmarks.chaos import clock

LEASE = 60.0  # seconds: it does not lapse


def happen(url: str, *, wrong: float, delay: float) -> tuple[float, float]:
    """Let it happen to the next job; return when it began and ended."""
    said = [url, str(wrong), str(delay)]
    command = [sys.executable, "-m", "benchmarks.chaos.setback", *said]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    began, ended = json.loads(done.stdout)
    return began, ended


def main() -> None:
    """Set the clock wrong before the store is loaded, and fail the next job."""
    url, wrong, delay = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    clock.install()
    clock.shift(wrong)
    from service.store import leases  # noqa: PLC0415 - not before the clock is replaced
    from service.store import session  # noqa: PLC0415 - likewise
    from service.store.values import JobError  # noqa: PLC0415 - likewise

    engine = session.open_engine(url)
    taken = leases.claim(engine, lease_seconds=LEASE)
    assert taken is not None, "no job waits"
    began = time.monotonic()
    error = JobError(code="setback", message="this is what was to happen")
    leases.retry(engine, taken[0], error=error, delay_seconds=delay)
    print(json.dumps([began, time.monotonic()]))
    engine.dispose()


if __name__ == "__main__":
    main()
