"""What the page of a trial says of where the trial is from."""

import optuna
import pytest
from optuna.trial import FrozenTrial

from search.trial import EARLIER
from service.dashboard.notes import note_of


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
