"""Compares searches: `python -m benchmarks.search [MODELS DATASETS] [options]`.

MODELS and DATASETS are folders laid out as a worker's model and data roots; without them only the
embedded network is searched. Prints one JSON line per case, seed and method, keeps them in --out,
and sums up all lines that are there: summary.json, plot.html and, with Chromium, plot.png.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.search import cases
from benchmarks.search import claims
from benchmarks.search import methods
from benchmarks.search import outcome
from benchmarks.search import plot
from benchmarks.search import simulate
from benchmarks.search.ground import prepare
from workers.settings import WorkerSettings

LINES, SUMMARY, PAGE, PICTURE = "lines.jsonl", "summary.json", "plot.html", "plot.png"
HITS = "hits"  # a folder; a later run evaluates nothing that is there


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for, and sum up; None: what the command line says."""
    asked = _arguments().parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / LINES
    for line in _measured(asked):
        print(json.dumps(line), flush=True)
        with kept.open("a") as file:
            file.write(json.dumps(line) + "\n")
    lines = claims.latest(json.loads(text) for text in kept.read_text().splitlines())
    simulated = (
        simulate.claim(asked.simulations, sampler=simulate.sampler_of(asked.ours))
        if asked.simulations
        else None
    )
    summary = claims.summary(lines, ours=asked.ours, simulated=simulated)
    (asked.out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
    page = plot.page(lines)
    (asked.out / PAGE).write_text(page)
    if not plot.picture(page, asked.out / PICTURE, cases=len(summary["cases"])):
        print("no chromium: the plot is a page only", file=sys.stderr)
    for claim in summary["claims"]:
        print(json.dumps(claim), flush=True)


def _measured(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield one line per case, seed and method."""
    settings = WorkerSettings()
    if asked.models is not None:
        folders = {"model_root": asked.models, "data_root": asked.datasets}
        settings = settings.model_copy(update=folders)
    evaluations = methods.EVALUATIONS_FULL if asked.full else methods.EVALUATIONS
    for name in asked.cases or ([*cases.CASES] if asked.models else [cases.DIGITS.name]):
        for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
            ground = prepare(cases.CASES[name], seed, settings=settings)
            ground.load(asked.out / HITS)
            for method, run in methods.offered(evaluations=evaluations).items():
                if method not in asked.methods:
                    continue
                started = time.monotonic()
                attempt = run(ground)
                line = outcome.line(ground, attempt, seconds=time.monotonic() - started)
                ground.save(asked.out / HITS)
                print(_told(line), file=sys.stderr, flush=True)
                yield line


def _told(line: dict[str, Any]) -> str:
    """Return the line in short."""
    passes = line["images"]["trials"] / line["images_per_pass"]
    searched, certified = claims.best(line), claims.certified(line)
    return (
        f"{line['case']} seed {line['seed']} {line['method']}: {line['trials']} trials, "
        f"{passes:.1f} passes, {searched / line['values']:.3f} bits searched, "
        f"{certified / line['values']:.3f} certified, {line['seconds']:.0f} s"
    )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("models", nargs="?", type=Path)
    parser.add_argument("datasets", nargs="?", type=Path)
    parser.add_argument("--full", action="store_true", help="2,000 evaluations of each sampler")
    parser.add_argument("--cases", nargs="+", choices=[*cases.CASES])
    known = [*methods.offered(evaluations=methods.EVALUATIONS)]
    kept = "only these; other lines in --out are kept"
    parser.add_argument("--methods", nargs="+", choices=known, default=methods.USUAL, help=kept)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/bench-search"))
    parser.add_argument("--ours", default=methods.OURS, help="the method that claims are about")
    parser.add_argument("--simulations", type=int, default=200, help="searches for claim 5")
    return parser


if __name__ == "__main__":
    main()
