"""Makes every fault happen, and tells what it came to: `python -m benchmarks.chaos [options]`.

Takes about three quarters of an hour on two cores. Ends with status 1 where something did not hold.
"""

import argparse
import sys
import time
from collections.abc import Iterator
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
    parser = _arguments()
    asked = parser.parse_args(arguments)
    if asked.write and (asked.only or asked.databases != databases.KINDS):
        parser.error("--write rewrites the whole table, so it takes all faults and databases")
    made = [*_made(asked)]
    print(figures.table(made))
    if asked.write:
        command = ["python -m benchmarks.chaos", f"--seed {asked.seed}"]
        command += ["--short"] if asked.short else []
        section = document.section(made, command, machine=document.machine())
        asked.write.write_text(document.rewritten(asked.write.read_text(), section))
    return 0 if all(figure.held for figure in made) else 1


def _made(asked: argparse.Namespace) -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = stack.enter_context(ground.folder())
        nursery = stack.enter_context(crew.nursery())
        server = None
        for name, fault in faults.FAULTS.items():
            if asked.only and asked.only not in name:
                continue
            make = fault.short if asked.short else fault.long
            if make is None:
                continue
            for database in fault.databases:
                if database not in asked.databases:
                    continue
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
                with common.apart() as own:
                    figure = make(own)
                seconds = time.monotonic() - started
                print(f"# {name} on {database}: {seconds:.0f} s", file=sys.stderr, flush=True)
                yield figure


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the faults' choices")
    parser.add_argument("--only", default="", help="faults with this in their name")
    parser.add_argument("--short", action="store_true", help="small sizes, as in `make test`")
    parser.add_argument("--databases", nargs="+", choices=databases.KINDS, default=databases.KINDS)
    parser.add_argument("--write", type=Path, help="the document whose table is rewritten")
    return parser


if __name__ == "__main__":
    sys.exit(main())
