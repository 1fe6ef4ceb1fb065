"""Jobs and trials in the shape Optuna reads: every read maps to our rows, every write raises."""

from collections.abc import Callable
from collections.abc import Container
from copy import deepcopy as copied
from typing import Any
from typing import NoReturn

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial
from optuna.trial import TrialState
from sqlalchemy import Engine
from typing_extensions import override

from service.dashboard.errors import ReadOnlyStorage
from service.dashboard.history import Histories
from service.dashboard.index import StudyIndex
from service.dashboard.notes import study_note
from service.dashboard.studies import DIRECTIONS
from service.dashboard.studies import frozen_study
from service.store import jobs
from service.store.values import Job

#: More than anyone scrolls through; older jobs open by their link.
_LISTED = 1_000


def _refusing(method: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise ReadOnlyStorage(method)

    return refuse


class JobStorage(BaseStorage):
    """One study a job of the tenant, of all for None.

    Trial ids are positions in their study, so no trial is found by id alone.
    """

    def __init__(self, engine: Engine, tenant: str | None = None) -> None:
        self._engine = engine
        self._index = StudyIndex(engine, tenant)
        self._histories = Histories(engine)

    def get_all_studies(self) -> list[FrozenStudy]:
        """Return the newest studies, newest first."""
        return self._index.studies(_LISTED)

    def get_study(self, study_id: int) -> FrozenStudy:
        """Return one study as it is now; `KeyError` if there is none."""
        job = self._job(study_id)
        return frozen_study(job, note=study_note(job))

    def get_plots(self, study_id: int) -> dict[str, str]:
        """Return the report's figures as the dashboard keeps those of others: name -> JSON."""
        return dict(self._histories.plots(self._job(study_id)))

    def get_front(self, study_id: int) -> list[FrozenTrial]:
        """Return the best trials: dominated by no other, of a search for the floor feasible."""
        return self._histories.front(self._index.job_id(study_id))

    def get_search_space(self, study_id: int) -> dict[str, BaseDistribution]:
        """Return the distribution of every parameter of the study's trials."""
        return self._histories.space(self._index.job_id(study_id))

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the study of this name; `KeyError` if it is not among the newest."""
        for study in self.get_all_studies():
            if study.study_name == study_name:
                return study._study_id  # noqa: SLF001 - Optuna offers no other name for it
        raise KeyError(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the study's name."""
        return self.get_study(study_id).study_name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return: less memory, more accuracy."""
        self._index.job_id(study_id)
        return list(DIRECTIONS)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return what people read beside the plots."""
        return self.get_study(study_id).user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the metric names and the note."""
        return self.get_study(study_id).system_attrs

    @override
    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the study's trials in order, those in `states` if given."""
        trials = self._histories.trials(self._index.job_id(study_id))
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        return copied(trials) if deepcopy else trials

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Raise `KeyError`: a trial is found through its study."""
        raise KeyError(trial_id)

    def _job(self, study_id: int) -> Job:
        return jobs.get(self._engine, self._index.job_id(study_id))

    create_new_study = _refusing("create_new_study")
    delete_study = _refusing("delete_study")
    set_study_user_attr = _refusing("set_study_user_attr")
    set_study_system_attr = _refusing("set_study_system_attr")
    create_new_trial = _refusing("create_new_trial")
    set_trial_param = _refusing("set_trial_param")
    set_trial_state_values = _refusing("set_trial_state_values")
    set_trial_intermediate_value = _refusing("set_trial_intermediate_value")
    set_trial_user_attr = _refusing("set_trial_user_attr")
    set_trial_system_attr = _refusing("set_trial_system_attr")
