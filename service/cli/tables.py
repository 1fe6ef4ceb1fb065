"""Tables for people: jobs, one job, the best allocation per layer, the Pareto front."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from service.answers import Front
from service.answers import Job
from service.answers import Trial
from service.cli import evidence
from service.cli.output import plain
from service.words import amount_in_words
from service.words import bytes_in_words
from service.words import objective_of
from service.words import percent

#: what a table of offers can show beside the names
_OFFER_COLUMNS = ("input_shape", "classes", "images", "weights", "summary")

_STATE_STYLES = {
    "queued": "dim",
    "running": "cyan",
    "succeeded": "green",
    "infeasible": "yellow",
    "failed": "red",
    "cancelled": "dim",
}


def jobs(found: Iterable[Job]) -> Table:
    """Return one row a job."""
    table = plain_table(
        "id", "state", "model", "dataset", "tolerance", "trials", "saved", "created"
    )
    for job in found:
        progress = job.progress
        table.add_row(
            _text(job.id),
            _state(job),
            _text(job.spec.get("model")),
            _text(job.spec.get("dataset")),
            _text(job.spec.get("tolerance")),
            f"{progress.trials}/{progress.budget}",
            percent(progress.best.saved if progress.best else None),
            job.created_at.strftime("%Y-%m-%d %H:%M"),
        )
    return table


def job(shown: Job) -> Table:
    """Return what there is to know about one job, a line a fact."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, value in _facts(shown):
        facts.add_row(name, value if isinstance(value, Text) else _text(value))
    return facts


def offers(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return one row an offer; a column that says nothing for any of them is left out."""
    rows = list(found)
    shown = [name for name in _OFFER_COLUMNS if any(row.get(name) for row in rows)]
    table = plain_table("name", *(name.replace("_", " ") for name in shown))
    for row in rows:
        table.add_row(_text(row.get("name")), *(_text(_detail(name, row)) for name in shown))
    return table


def records(found: Sequence[Mapping[str, Any]], *, none: str) -> RenderableType:
    """Return one row a record, all of the same fields; the sentence where there is none."""
    if not found:
        return Text(none)
    table = plain_table(*(name.replace("_", " ") for name in found[0]))
    for record in found:
        table.add_row(*(_text(_value(value)) for value in record.values()))
    return table


def best(document: Mapping[str, Any]) -> RenderableType:
    """Return the headline of the best document and one row a layer."""
    table = plain_table("layer", "values", "quantizer", "bits", "before", "after")
    for column in table.columns[1:]:
        column.justify = "right"
    kind = None
    for point in document["points"]:
        if kind not in (None, point.get("kind")):
            table.add_section()
        kind = point.get("kind")
        table.add_row(
            _text(point["name"]),
            f"{point['elements']:,}",
            _text(point["quantizer"] or "float32"),
            _text(point["bit_width"]),
            bytes_in_words(point["bytes_before"]),
            bytes_in_words(point["bytes_after"]),
        )
    return Group(*(Text(line) for line in evidence.lines(document)), table)


def front(found: Front) -> RenderableType:
    """Return one row a trial of the front, fewest bits first."""
    table = plain_table(
        "trial", "memory", "saved", "average bits", "accuracy", "drop", "bits per layer"
    )
    for column in table.columns[:6]:
        column.justify = "right"
    for trial in found.front:
        table.add_row(
            str(trial.number),
            amount_in_words(trial.memory_bytes, found.objective),
            percent(trial.saved),
            f"{trial.average_bits:.2f}",
            percent(trial.accuracy, 2),
            percent(trial.drop, 2),
            _text(bits_per_layer(trial, found.points)),
        )
    floor = f"floor {percent(found.floor, 2)}, float model {percent(found.float_accuracy, 2)}"
    lines = [f"accuracy on {found.images or 0} images of the search split; {floor}"]
    if found.goal == "front":
        lines.append(f"hypervolume {percent(found.hypervolume, 2)}, below the floor included")
    return Group(*(Text(line) for line in lines), table)


def bits_per_layer(trial: Trial, network: Sequence[Mapping[str, Any]]) -> str:
    """Return the bit-widths in network order; a dash where a layer stays in float32."""
    chosen = (trial.allocation.get(point["name"]) for point in network)
    return " ".join(str(config["bit_width"]) if config else "-" for config in chosen)


def _facts(shown: Job) -> Iterable[tuple[str, object]]:
    progress = shown.progress
    yield "id", shown.id
    yield "state", _state(shown)
    if not shown.state.final:
        yield "stage", shown.stage or "-"
    yield from ((str(name), _value(value)) for name, value in shown.spec.items())
    if shown.labels:
        yield "labels", ", ".join(f"{name}={value}" for name, value in shown.labels.items())
    yield "priority", shown.priority
    yield "attempt", shown.attempt
    yield "created", shown.created_at.isoformat()
    yield "started", shown.started_at.isoformat() if shown.started_at else "-"
    yield "finished", shown.finished_at.isoformat() if shown.finished_at else "-"
    yield "trials", f"{progress.trials} of {progress.budget}"
    if shown.answered_by:
        yield "answered from job", shown.answered_by
    if shown.from_job:
        yield "from job", shown.from_job
        yield "taken over", _taken(shown)
    yield "images evaluated", f"{progress.images_evaluated:,}"
    yield "float accuracy", percent(progress.float_accuracy, 2)
    yield "floor", percent(progress.floor, 2)
    if progress.best:
        yield "best so far", _best_so_far(shown)
    if shown.error:
        yield "error", f"{shown.error.code}: {shown.error.message}"
    if shown.infeasible:
        yield "infeasible", shown.infeasible.get("reason", "nothing held the floor")


def _taken(shown: Job) -> str:
    taken = shown.taken
    if taken is None:
        return "nothing so far"
    return f"{taken.trials:,} trials, {taken.sensitivities:,} sensitivities"


def _best_so_far(shown: Job) -> str:
    best_so_far = shown.progress.best
    if best_so_far is None:
        return "-"
    return (
        f"{percent(best_so_far.saved)} saved "
        f"({amount_in_words(best_so_far.memory_bytes, objective_of(shown.spec))}), "
        f"accuracy {percent(best_so_far.accuracy, 2)}, trial {best_so_far.trial}"
    )


def _detail(name: str, offer: Mapping[str, Any]) -> str:
    value = offer.get(name)
    if value is None:
        return "-"
    if name == "input_shape" and isinstance(value, list):
        return "×".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{part} {amount}" for part, amount in value.items())
    return _value(value)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        # a setting within a setting, such as a rule for some points
        return "; ".join(f"{name}: {_value(inner)}" for name, inner in value.items()) or "-"
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _state(shown: Job) -> Text:
    return Text(shown.state.value, style=_STATE_STYLES.get(shown.state.value, ""))


def plain_table(*columns: str) -> Table:
    """Return an empty table that folds what is too wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        # an id that is cut is useless; fold what is too wide
        table.add_column(column, overflow="fold")
    return table


def _text(value: object) -> Text:
    # Text, not str: a name such as "[red]" is no markup
    return Text(plain(value))
