"""Loads the service on loopback: `python -m benchmarks.service_load [options]`.

Starts `bitfloor serve` over SQLite and PostgreSQL, without and with tokens, and prints one JSON
line per figure: first at a rate of arrivals, which is what the targets of latency are about, then
of 50 clients that each send as soon as they are answered, which is the most the service can do.
All of it takes about a quarter of an hour, filling both databases included. `--memory 100000`
measures how one server's memory goes instead, some ten minutes for each database. `--keep FOLDER`
keeps the databases for the next run, which removes what this one submitted.
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
from benchmarks.service_load import fill
from benchmarks.service_load import ground
from benchmarks.service_load import serving
from benchmarks.service_load.cases import Case
from benchmarks.service_load.clients import Clients
from benchmarks.service_load.clients import Load
from benchmarks.service_load.ground import Sizes
from benchmarks.service_load.serving import Server
from service.cli.database import opened
from service.store import jobs

WARM_UP = 100  # requests before each figure
CLOSED = 0.25  # of the time that a rate takes, for a closed loop
MEMORY_SAMPLES = 10
MEMORY_SECONDS = 300.0  # for one part of the requests, at most
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
    if asked.memory:
        yield _memory(url, sizes, requests=asked.memory)
        return
    for tokens in (False, True):
        shown = {"tokens": tokens}
        tenant = ground.TENANT if tokens else None
        wanted = cases.cases(sizes, tenant=tenant)
        for line in _figures(url, wanted, asked=asked, tenant=tenant, sizes=sizes):
            yield shown | line
        if tokens:
            wanted, tenant = cases.small_tenant(sizes), ground.SMALL_TENANT
            for line in _figures(url, wanted, asked=asked, tenant=tenant, sizes=sizes):
                yield shown | {"tenant": "one job in a hundred"} | line


def _figures(
    url: str,
    wanted: Sequence[Case],
    *,
    asked: argparse.Namespace,
    tenant: str | None,
    sizes: Sizes,
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
                    target = case.target_of(closed=load.rate is None)
                    created += run.created
                    yield {"figure": case.name, **_said(load), **figures.line(run, target)}
            server.kill()
    _require_kept(url, created, sizes=sizes)


def _loads(case: Case, asked: argparse.Namespace) -> Iterator[Load]:
    yield Load(requests=max(1, int(asked.seconds * case.rate)), rate=case.rate)
    yield Load(requests=asked.requests, seconds=asked.seconds * CLOSED)


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


def _require_kept(url: str, created: Sequence[str], *, sizes: Sizes) -> None:
    """Refuse to report jobs a second where one of them is gone; then forget them."""
    with opened(url) as engine:
        for job_id in created:
            jobs.outline(engine, job_id)
        fill.forget(engine, sizes)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service_load", description=__doc__)
    usual = Sizes()
    parser.add_argument("--databases", nargs="+", choices=databases.KINDS, default=databases.KINDS)
    parser.add_argument("--jobs", type=int, default=usual.jobs, help="one in ten searched long")
    parser.add_argument("--trials", type=int, default=usual.trials, help="of those")
    parser.add_argument("--long-trials", type=int, default=usual.long_trials, help="of one job")
    parser.add_argument("--seconds", type=float, default=8.0, help="of a figure at a rate")
    parser.add_argument("--requests", type=int, default=5_000, help="a closed loop sends, at most")
    parser.add_argument("--memory", type=int, default=0, help="only memory, over so many requests")
    parser.add_argument("--only", default="", help="figures with this in their name")
    parser.add_argument(
        "--keep", type=Path, help="a folder to keep the databases in, and use again"
    )
    return parser


if __name__ == "__main__":
    main()
