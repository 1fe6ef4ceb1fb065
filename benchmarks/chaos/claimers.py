"""Many processes that claim one job after another: `python -m benchmarks.chaos.claimers FOLDER`.

Reads one JSON document, the fields of `Claimers`, and leaves a file of JSON for each process in the
folder: [[job, seconds that its claim took], ...]. They are forked, since none needs torch.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

from service.cli.database import opened
from service.store import leases

LEASE = 3600.0  # seconds: none lapses here


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimers:
    """Who claims, how often, and what comes between a claim and the next."""

    url: str
    processes: int
    #: seconds that a job takes, on average, until it is ended and the next one is claimed
    work: float = 0.0
    #: claims of each process; None: until nothing is left
    claims: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that brought a job."""

    job: str
    #: that the claim took
    seconds: float
    #: whether it was the process's first
    first: bool


def claimed(asked: Claimers, folder: Path) -> list[Claim]:
    """Let them claim, and return all claims, those of one process after those of another."""
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos.claimers", folder],
        check=True,
        input=json.dumps(asdict(asked)),
        text=True,
    )
    files = sorted(folder.iterdir())
    assert len(files) == asked.processes, "a process left no word"
    return [
        Claim(job, seconds, first=index == 0)
        for file in files
        for index, (job, seconds) in enumerate(json.loads(file.read_text()))
    ]


def main() -> None:
    """Fork the processes and wait for them; ends with status 1 where one failed."""
    folder, asked = Path(sys.argv[1]), Claimers(**json.load(sys.stdin))
    pids = [_forked(asked, folder, number=number) for number in range(asked.processes)]
    failed = [pid for pid in pids if os.waitpid(pid, 0)[1]]
    sys.exit(1 if failed else 0)


def _forked(asked: Claimers, folder: Path, *, number: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        found = _claim(asked, Random(asked.seed + number))  # noqa: S311 - no secret
        (folder / f"{number}.json").write_text(json.dumps(found))
        status = 0
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _claim(asked: Claimers, draws: Random) -> list[tuple[str, float]]:
    """Claim, work and end, again and again."""
    found: list[tuple[str, float]] = []
    with opened(asked.url) as engine:
        while asked.claims is None or len(found) < asked.claims:
            if asked.work:
                time.sleep(draws.expovariate(1 / asked.work))
            began = time.monotonic()
            taken = leases.claim(engine, lease_seconds=LEASE)
            if taken is None:
                break
            found.append((taken[0].job_id, time.monotonic() - began))
            leases.succeed(engine, taken[0], {})
    return found


if __name__ == "__main__":
    main()
