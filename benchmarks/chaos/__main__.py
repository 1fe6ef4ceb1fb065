"""Makes every fault happen, and tells what it came to: `python -m benchmarks.chaos [options]`.

Takes about an hour and a half on two cores. Ends with status 1 where something did not hold.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.chaos import crew
from benchmarks.chaos import databases
from benchmarks.chaos import document
from benchmarks.chaos import faults
from benchmarks.chaos import figures
from benchmarks.chaos import ground
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of what is asked for, write it if asked to, and return the exit status."""
    asked = _arguments().parse_args(arguments)
    made: dict[str, list[Figure]] = {}
    print(figures.HEAD, flush=True)
    for name, figure in _made(asked):
        made.setdefault(name, []).append(figure)
        print(figures.row(figure), flush=True)
    if asked.write:
        _write(asked, made)
    return 0 if all(figure.held for each in made.values() for figure in each) else 1


def _write(asked: argparse.Namespace, made: Mapping[str, Sequence[Figure]]) -> None:
    """Rewrite the table, or the rows of it that were asked for."""
    text, machine = asked.write.read_text(), document.machine()
    command = ["python -m benchmarks.chaos", f"--seed {asked.seed}"]
    command += ["--short"] if asked.short else []
    command += [f"--only {asked.only}"] if asked.only else []
    some = set(asked.databases) != {*databases.KINDS}
    command += [f"--databases {' '.join(asked.databases)}"] if some else []
    if asked.only or some:
        text = document.renewed(text, made, command, machine=machine)
    else:
        whole = [figure for each in made.values() for figure in each]
        text = document.rewritten(text, document.section(whole, command, machine=machine))
    asked.write.write_text(text)


def _made(asked: argparse.Namespace) -> Iterator[tuple[str, Figure]]:
    with ExitStack() as stack:
        folder = stack.enter_context(ground.folder())
        nursery = stack.enter_context(crew.nursery())
        server = None
        for name, database, make in _wanted(asked):
            if database == "postgresql" and server is None:
                server = stack.enter_context(databases.postgres(folder / "postgresql"))
            common = Ground(
                database=database,
                folder=folder,
                nursery=nursery,
                seed=asked.seed,
                server=server if database == "postgresql" else None,
            )
            started = time.monotonic()
            try:
                with common.apart() as own:
                    figure = make(own)
            except Exception as error:  # noqa: BLE001 - is a row; those before and after are not lost for it
                traceback.print_exc()
                figure = figures.failed(name, database, error=error)
            seconds = time.monotonic() - started
            print(f"# {name} on {database}: {seconds:.0f} s", file=sys.stderr, flush=True)
            yield name, figure


def _wanted(asked: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[Ground], Figure]]]:
    """Yield each fault that is to be made, the database, and what makes it."""
    for name, fault in faults.FAULTS.items():
        make = fault.short if asked.short else fault.long
        if make is not None and asked.only in name:
            yield from ((name, kind, make) for kind in fault.databases if kind in asked.databases)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the faults' choices")
    parser.add_argument("--only", default="", help="faults with this in their name")
    parser.add_argument("--short", action="store_true", help="small sizes, as in `make test`")
    parser.add_argument("--databases", nargs="+", choices=databases.KINDS, default=databases.KINDS)
    parser.add_argument("--write", type=Path, help="the document whose table or rows to rewrite")
    return parser


if __name__ == "__main__":
    sys.exit(main())
