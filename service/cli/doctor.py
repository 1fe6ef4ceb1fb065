"""`bitfloor doctor`: a deployment looked over, a line a finding, with what to do about it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from service import findings
from service.cli import connection
from service.cli import needs
from service.cli import tables
from service.cli.errors import ExitStatus
from service.cli.options import DEFAULT_DATA_DIR
from service.cli.options import DataDir
from service.cli.options import DataRoot
from service.cli.options import ModelRoot
from service.cli.options import Output
from service.cli.options import SomeDatabase
from service.cli.output import Format
from service.cli.output import emit
from service.cli.output import plain
from service.cli.output import say
from service.cli.output import show
from service.client import ClientError
from service.findings import Finding
from service.findings import Verdict

WORKER_PATIENCE = 120.0  # seconds: loading torch from a cold disk takes its time

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILURE: "red"}


def doctor(  # noqa: PLR0913 - an option is a parameter
    *,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    model_root: ModelRoot = None,
    data_root: DataRoot = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="BITFLOOR_SERVER",
            help="Ask this server, too.",
            show_default=False,
        ),
    ] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Ask this Ray cluster, too.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for a warning, too.")] = False,
    form: Output = Format.TABLE,
) -> None:
    """Look over database, clock, disk, device, cache and roots; exit 1 if something fails."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import checkup
    cache = None
    if database_url is None:  # then the folders are those of `up`, too
        model_root = model_root or _existing(data_dir / "models")
        data_root = data_root or _existing(data_dir / "datasets")
        cache = None if "BITFLOOR_CACHE_DIR" in os.environ else data_dir / "cache"
    folders = {"--model-root": model_root, "--data-root": data_root, "--cache-dir": cache}
    said = folders | {"--ray": ray}
    options = [part for name, value in said.items() if value for part in (name, str(value))]
    if sys.stderr.isatty():
        say("looking; loading PyTorch takes some seconds")
    url = database_url or database.embedded_url(data_dir)
    found = list(checkup.look(url, clock=time.time))
    found.extend(_server(server) if server else ())
    found.extend(_worker(options))
    if form is Format.TABLE:
        show(_table(found))
    else:
        healthy = not any(finding.verdict is Verdict.FAILURE for finding in found)
        emit({"healthy": healthy, "findings": [dict(f.document()) for f in found]}, form)
    bad = {Verdict.FAILURE, Verdict.WARNING} if strict else {Verdict.FAILURE}
    if any(finding.verdict in bad for finding in found):
        raise typer.Exit(ExitStatus.ERROR)


def _existing(folder: Path) -> Path | None:
    return folder if folder.exists() else None


def _server(address: str) -> Iterator[Finding]:
    try:
        with connection.connect(address) as client:
            seconds = findings.timed(client.ready, times=3)
            if not client.ready():
                remedy = "start `bitfloor serve`, or correct --server; its log tells more"
                yield findings.failure("server", f"{address} is not ready", remedy=remedy)
                return
            next(client.jobs(), None)  # as whoever the token says
    except ClientError as error:
        yield findings.failure("server", str(error), remedy="set BITFLOOR_TOKEN or --server")
        return
    yield findings.ok("server", f"{address} is ready, {seconds * 1e3:.1f} ms an answer")


def _worker(options: Sequence[str]) -> Iterator[Finding]:
    """Yield what a process with torch finds."""
    if find_spec("torch") is None:
        facts = "PyTorch is not installed; this machine can run the API and no worker"
        yield findings.ok("device", facts)
        return
    with _told() as out:
        command = [sys.executable, "-m", "workers.doctor", str(out), *options]
        try:
            ended = subprocess.run(  # noqa: S603 - our own program
                command, check=False, capture_output=True, timeout=WORKER_PATIENCE
            )
        except subprocess.TimeoutExpired:
            facts = f"no answer within {WORKER_PATIENCE:g} s"
            remedy = "is the driver, a disk or the Ray cluster hanging?"
            yield findings.failure("device", facts, remedy=remedy)
            return
        if ended.returncode:
            lines = ended.stderr.decode(errors="replace").strip().splitlines()
            facts = lines[-1] if lines else f"a worker's process ended with {ended.returncode}"
            yield findings.failure("device", facts, remedy="reinstall 'bitfloor[worker]'")
            return
        yield from map(findings.read, json.loads(out.read_text(encoding="utf-8")))


@contextmanager
def _told() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "findings.json"


def _table(found: Sequence[Finding]) -> Table:
    table = tables.plain_table("", "what", "found")
    for finding in found:
        facts = Text(plain(finding.facts))
        if finding.remedy:
            facts.append(f"\n→ {plain(finding.remedy)}", style="bold")
        verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
        table.add_row(verdict, Text(finding.what), facts)
    return table
