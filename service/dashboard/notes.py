"""What the dashboard's pages of a study and of a trial say in words, in Markdown."""

import re
from typing import Any

from optuna.trial import FrozenTrial

from search.trial import EARLIER
from service.store.values import Job
from service.verdict import verdict

_VERSION = 1  # the dashboard shows a note from version 1 on


def study_note(job: Job) -> str:
    """Return the job's verdict with its evidence, where to read on, and how to read the page."""
    told = verdict(job)
    return (
        f"**{_plain(told.headline)}**\n\n{_plain(' '.join(told.sentences))}\n\n"
        f"[Report](/v1/jobs/{job.id}/report) · [job](/v1/jobs/{job.id}) · "
        f"[front](/v1/jobs/{job.id}/front) · [best](/v1/jobs/{job.id}/best)\n\n"
        "Infeasible trials missed the accuracy floor; pruned ones were stopped as soon as that "
        "was clear, so their accuracy, among their attributes, covers fewer images. Of a trial "
        "that held before all images were seen, accuracy is estimated from the drop; the front "
        "leaves it out. This dashboard is read-only."
    )


def add_notes(serialized: list[dict[str, Any]], trials: list[FrozenTrial]) -> None:
    """Give each of the serialized trials its note; they are some of the trials, which are in order.

    Not through the study's attributes, as the dashboard itself keeps notes: it looks through all of
    them for each trial.
    """
    for one in serialized:
        one["note"] = {"version": _VERSION, "body": note_of(trials[one["number"]])}


def note_of(trial: FrozenTrial) -> str:
    """Return the verdict with its evidence, and whose proposal it was."""
    told = trial.user_attrs
    images, drop = told["images"], told["drop"]
    verdict = str(told["verdict"])
    seen = "" if " images" in verdict else f", on all {images:,} images"
    points = (
        f"{100 * abs(drop):.2f} points {'below' if drop > 0 else 'above'}" if drop else "exactly"
    )
    source = (
        "Taken over from an earlier job."
        if told["origin"] == EARLIER
        else f"Proposed by `{told['origin']}`; took {told['seconds']:.2g} s."
    )
    return (
        f"**{verdict[:1].upper()}{verdict[1:]}**{seen}: {points} the float model's accuracy on "
        f"the same images.\n\n{source}"
    )


def _plain(text: str) -> str:
    """Return the text so that Markdown finds nothing in it: names and causes come from workers."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
