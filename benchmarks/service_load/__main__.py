"""Loads the service on loopback: `python -m benchmarks.service_load [options]`.

Starts `bitfloor serve` over SQLite and PostgreSQL, without and with tokens, and prints one JSON
line per figure: first at a rate of arrivals, which is what the targets of latency are about, then
of 50 clients that each send as soon as they are answered, which is the most the service can do.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.service_load import cases
from benchmarks.service_load import databases
from benchmarks.service_load import figures
from benchmarks.service_load import ground
from benchmarks.service_load import serving
from benchmarks.service_load.cases import Case
from benchmarks.service_load.clients import Clients
from benchmarks.service_load.clients import Load
from benchmarks.service_load.ground import Sizes
from benchmarks.service_load.serving import Server
from service.cli.database import opened
from service.store import jobs

WARM_UP = 200  # requests before the first figure
MEMORY_SAMPLES = 10
MEMORY_SECONDS = 120.0  # for one part of the requests, at most
MEMORY_DRIFT = 0.10  # of what the process held once warm

Line = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for every figure that is asked for; None: what the command line says."""
    asked = _arguments().parse_args(arguments)
    sizes = Sizes(jobs=asked.jobs, trials=asked.trials, long_trials=asked.long_trials)
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    kept = nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory()
    with kept as folder:
        # a server that root starts runs as another user, who has to get there
        Path(folder).chmod(0o755)
        for kind in asked.databases:
            with databases.filled(kind, Path(folder).resolve(), sizes=sizes) as url:
                for line in _measured(url, sizes, asked=asked):
                    print(json.dumps({"database": kind, **line}), flush=True)


def _measured(url: str, sizes: Sizes, *, asked: argparse.Namespace) -> Iterator[Line]:
    for tokens in (False, True):
        shown = {"tokens": tokens}
        tenant = ground.TENANT if tokens else None
        wanted = cases.cases(sizes, tenant=tenant)
        for line in _figures(url, wanted, asked=asked, tenant=tenant):
            yield shown | line
        if tokens:
            wanted, tenant = cases.small_tenant(sizes), ground.SMALL_TENANT
            for line in _figures(url, wanted, asked=asked, tenant=tenant):
                yield shown | {"tenant": "one job in a hundred"} | line
    if asked.memory:
        yield _memory(url, sizes, requests=asked.memory)


def _figures(
    url: str, wanted: Sequence[Case], *, asked: argparse.Namespace, tenant: str | None
) -> Iterator[Line]:
    """Yield the figures of one server; kill it, and look for all that it said it had taken."""
    created: list[str] = []
    token = None if tenant is None else serving.token(url, tenant)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with serving.served(url, log, tokens=token is not None) as server:
            clients = _clients(server, token)
            for case in wanted:
                if asked.only and asked.only not in case.name:
                    continue
                clients.run(case.asks, Load(requests=WARM_UP, seconds=asked.seconds))
                for load in _loads(case, asked):
                    run = clients.run(case.asks, load)
                    target = case.target if load.rate == case.rate else figures.NO_TARGET
                    created += run.created
                    yield {"figure": case.name, **_said(load), **figures.line(run, target)}
            server.kill()
    _require_kept(url, created)


def _loads(case: Case, asked: argparse.Namespace) -> Iterator[Load]:
    if case.rate is not None:
        yield Load(requests=int(asked.seconds * case.rate), rate=case.rate)
    yield Load(requests=asked.requests, seconds=asked.seconds)


def _said(load: Load) -> Line:
    return {
        "load": "closed loop" if load.rate is None else f"{load.rate:g}/s",
        "connections": load.connections,
        "others": round(os.getloadavg()[0], 1),
    }


def _memory(url: str, sizes: Sizes, *, requests: int) -> Line:
    """Return how the memory of one server went over the requests."""
    asks = cases.mixed(sizes)
    part = Load(requests=requests // MEMORY_SAMPLES, seconds=MEMORY_SECONDS)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving.served(url, Path(folder) / "log", tokens=False) as server,
    ):
        clients = _clients(server, None)
        clients.run(asks, part)
        held, rates = [server.resident()], []
        for _ in range(MEMORY_SAMPLES):
            rates.append(figures.per_second(clients.run(asks, part)))
            held.append(server.resident())
    drift = figures.drift(held)
    return {
        "figure": "memory over mixed requests",
        "requests": part.requests * MEMORY_SAMPLES,
        "per_second": [round(rate) for rate in rates],
        "resident_mib": [round(size / serving.MEBIBYTE, 1) for size in held],
        "drift": round(drift, 3),
        "target": {"drift": MEMORY_DRIFT},
        "met": abs(drift) <= MEMORY_DRIFT,
    }


def _clients(server: Server, token: str | None) -> Clients:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Clients(server.address, headers=headers, cpu=server.cpu)


def _require_kept(url: str, created: Sequence[str]) -> None:
    """Refuse to report jobs a second where one of them is gone."""
    with opened(url) as engine:
        for job_id in created:
            jobs.get(engine, job_id)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service_load", description=__doc__)
    usual = Sizes()
    parser.add_argument("--databases", nargs="+", choices=databases.KINDS, default=databases.KINDS)
    parser.add_argument("--jobs", type=int, default=usual.jobs, help="one in ten searched long")
    parser.add_argument("--trials", type=int, default=usual.trials, help="of those")
    parser.add_argument("--long-trials", type=int, default=usual.long_trials, help="of one job")
    parser.add_argument("--seconds", type=float, default=10.0, help="each figure takes, at most")
    parser.add_argument("--requests", type=int, default=5_000, help="a closed loop sends, at most")
    parser.add_argument("--memory", type=int, default=100_000, help="requests; 0: not measured")
    parser.add_argument("--only", default="", help="figures with this in their name")
    parser.add_argument("--keep", type=Path, help="a folder to keep the databases in, and reuse")
    return parser


if __name__ == "__main__":
    main()
