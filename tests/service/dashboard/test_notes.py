"""What the pages of a study and of a trial say in words."""

import re

import optuna
import pytest
from optuna.trial import FrozenTrial

from search.trial import EARLIER
from service.dashboard.notes import note_of
from service.dashboard.notes import study_note
from service.store.values import Job
from service.store.values import JobError
from service.store.values import JobState
from service.verdict import verdict
from tests.service.report import samples

EVIL = (
    "![x](https://example.org/p.png) [y](javascript:alert(1)) <script>alert(2)</script> `z` "
    "*a* _b_ # c\n# d\n- e\n| f | g |\n~~h~~ $i$ &lt; \\"
)
JOBS = [
    samples.succeeded()[0],
    samples.infeasible()[0],
    samples.failed(),
    samples.job(JobState.QUEUED),
    samples.job(JobState.RUNNING, found=samples.trials(20)),
]


class TestStudyNote:
    @pytest.mark.parametrize("job", JOBS, ids=lambda job: job.state.value)
    def test_it_tells_the_verdict_of_the_report_and_leads_to_it(self, job: Job) -> None:
        note = study_note(job)
        told = verdict(job)
        plain = re.sub(r"\\(.)", r"\1", note)
        assert plain.startswith(f"**{told.headline}**")
        assert " ".join(told.sentences) in plain
        assert f"[Report](/v1/jobs/{job.id}/report)" in note

    def test_what_a_worker_wrote_is_text(self) -> None:
        error = JobError(code="x", message=EVIL)
        note = study_note(samples.job(JobState.FAILED, setup=None, error=error))
        said = note.split("\n\n")[1]
        # of what Markdown knows, nothing is left that no backslash takes the meaning of
        assert re.findall(r"(?<!\\)(?:\\\\)*[!-/:-@\[\]-`{-~]", said) == []
        assert "\n" not in said


def told(origin: str) -> FrozenTrial:
    verdict = "not decided under this floor, after 64 of 1,000 images"
    attrs = {"images": 64, "drop": 0.0, "verdict": verdict, "origin": origin, "seconds": 0.0}
    return optuna.trial.create_trial(value=1.0, user_attrs=attrs)


@pytest.mark.parametrize(
    "origin, said",
    [(EARLIER, "Taken over from an earlier job."), ("tpe", "Proposed by `tpe`; took 0 s.")],
)
def test_a_trial_that_was_taken_over_was_proposed_by_nobody(origin: str, said: str) -> None:
    note = note_of(told(origin))
    assert note.endswith(said)
    assert note.startswith("**Not decided under this floor, after 64 of 1,000 images**: exactly")
