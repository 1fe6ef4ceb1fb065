"""The storage adapter, asked as Optuna and Optuna Dashboard ask it."""

import inspect

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Engine
from sqlalchemy import event

from search.spec import JobSpec
from service.dashboard.errors import ReadOnlyStorage
from service.dashboard.storage import JobStorage
from service.dashboard.study_ids import study_id
from service.store import jobs
from service.store import leases
from service.store.values import Lease
from service.store.values import Submission
from tests.service.api import deployment
from tests.service.api.deployment import MIXED
from tests.service.api.deployment import MIXED_FRONT

WRITES = sorted(
    name
    for name, method in inspect.getmembers(BaseStorage, inspect.isfunction)
    if name.startswith(("create_", "delete_", "set_"))
)


class TestWrites:
    def test_all_of_them_are_known(self) -> None:
        abstract = set(BaseStorage.__abstractmethods__)
        reads = {name for name in abstract if name.startswith("get_")}
        assert abstract - reads == set(WRITES)

    @pytest.mark.parametrize("method", WRITES)
    def test_every_write_is_refused(self, storage: JobStorage, lease: Lease, method: str) -> None:
        parameters = inspect.signature(getattr(BaseStorage, method)).parameters
        arguments = [0] * (len(parameters) - 1)
        with pytest.raises(ReadOnlyStorage, match=method):
            getattr(storage, method)(*arguments)

    def test_optuna_itself_cannot_write_through_it(self, storage: JobStorage, lease: Lease) -> None:
        study = storage.get_all_studies()[0]
        loaded = optuna.load_study(study_name=study.study_name, storage=storage)
        with pytest.raises(ReadOnlyStorage):
            loaded.ask()
        with pytest.raises(ReadOnlyStorage):
            loaded.set_user_attr("mine", 1)
        with pytest.raises(ReadOnlyStorage):
            optuna.delete_study(study_name=study.study_name, storage=storage)
        with pytest.raises(ReadOnlyStorage):
            optuna.create_study(study_name="mine", storage=storage)


class TestStudies:
    def test_a_job_is_a_study_with_a_readable_name(self, storage: JobStorage, lease: Lease) -> None:
        (study,) = storage.get_all_studies()
        assert study.study_name == f"tiny on digits, tolerance 0.02 ({lease.job_id[-8:]})"
        assert study._study_id == study_id(lease.job_id)
        assert storage.get_study_id_from_name(study.study_name) == study._study_id
        assert storage.get_study_name_from_id(study._study_id) == study.study_name
        assert study.directions == [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
        assert study.user_attrs["accuracy floor"] == pytest.approx(0.88)
        assert study.user_attrs["state"] == "running"
        assert study.system_attrs["study:metric_names"] == [
            "memory (KiB per image)",
            "accuracy",
        ]

    def test_new_jobs_and_new_states_show(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        assert len(storage.get_all_studies()) == 1
        second = deployment.enqueue(engine, seed=1, labels={"team": "vision"})
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        fresh = JobStorage(engine)
        newest, oldest = fresh.get_all_studies()
        assert newest._study_id == study_id(second.id)
        assert newest.user_attrs["label team"] == "vision"
        assert oldest.user_attrs["state"] == "succeeded"

    def test_a_job_submitted_after_the_last_look_is_found_by_its_number(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        storage.get_all_studies()
        # as after a second: what was read has gone stale
        storage._index._refreshed_at = float("-inf")
        second = deployment.enqueue(engine, seed=1)
        assert storage.get_study_name_from_id(study_id(second.id)).endswith(f"({second.id[-8:]})")

    def test_an_unknown_study_is_a_key_error(self, storage: JobStorage, lease: Lease) -> None:
        for read in (
            storage.get_study_name_from_id,
            storage.get_study_directions,
            storage.get_study_user_attrs,
            storage.get_study_system_attrs,
            storage.get_all_trials,
            storage.get_trial,
        ):
            with pytest.raises(KeyError):
                read(7)
        with pytest.raises(KeyError):
            storage.get_study_id_from_name("nothing")


class TestStudyIds:
    def test_they_survive_javascript_and_restarts(self) -> None:
        ids = {study_id(f"0199f3a2-5b7e-7c41-9d0a-{n:012x}") for n in range(10_000)}
        assert len(ids) == 10_000
        assert all(0 < one < 2**53 for one in ids)
        assert study_id("0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11") == 3_810_670_974_200_801

    def test_of_two_jobs_with_one_number_the_older_keeps_it(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        first = storage.get_all_studies()[0]
        index = storage._index
        # what a collision amounts to: the number is taken by an older job
        second = deployment.enqueue(engine, seed=1)
        index._job_ids[study_id(second.id)] = lease.job_id
        index._refreshed_at = float("-inf")
        assert [study._study_id for study in storage.get_all_studies()] == [first._study_id]


class TestTrials:
    def test_feasibility_is_told_in_both_readers_form(
        self, storage: JobStorage, lease: Lease
    ) -> None:
        trials = storage.get_all_trials(study_id(lease.job_id))
        for trial, result in zip(trials, MIXED, strict=True):
            holds = all(value <= 0 for value in trial.system_attrs["constraints"])
            assert holds == result.feasible
            assert all(value <= 0 for value in trial.constraints.values()) == result.feasible

    def test_what_was_stopped_early_is_pruned(self, storage: JobStorage, lease: Lease) -> None:
        trials = storage.get_all_trials(study_id(lease.job_id))
        pruned = [trial.number for trial in trials if trial.state is TrialState.PRUNED]
        assert pruned == [3]
        only = storage.get_all_trials(study_id(lease.job_id), states=(TrialState.PRUNED,))
        assert [trial.number for trial in only] == [3]
        # with values, it would be a mark in the Pareto plot
        assert only[0].values is None
        assert only[0].user_attrs["accuracy"] == 1.0
        assert only[0].user_attrs["verdict"] == "missed the floor, after 64 of 1,000 images"
        assert storage.get_n_trials(study_id(lease.job_id), TrialState.COMPLETE) == 5

    def test_one_that_held_before_all_images_were_seen_is_complete_and_feasible(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        deployment.record(engine, lease, deployment.EARLY)
        trial = storage.get_all_trials(study_id(lease.job_id))[-1]
        assert trial.state is TrialState.COMPLETE
        assert all(value <= 0 for value in trial.system_attrs["constraints"])
        # 2 of 200 images are lost
        assert trial.values == [6656 * 3 / 8 / 1024, pytest.approx(0.9 - 0.01)]
        assert trial.user_attrs["verdict"] == "held the floor, after 200 of 1,000 images"
        front = storage.get_front(study_id(lease.job_id))
        assert [one.number for one in front] == MIXED_FRONT

    @pytest.mark.parametrize(
        "target, objective, name, unit",
        [
            ("weights", None, "memory (KiB)", 8 * 1024),
            ("both", "activation_memory", "memory (KiB per image)", 8 * 1024),
            ("both", "bit_operations", "giga bit operations per image", 10**9),
        ],
    )
    def test_costs_are_told_in_their_own_unit(
        self, engine: Engine, *, target: str, objective: str | None, name: str, unit: int
    ) -> None:
        spec = JobSpec(
            model="tiny", dataset="digits", tolerance=0.02, target=target, objective=objective
        )
        jobs.enqueue(engine, Submission(spec=spec))
        deployment.record(engine, deployment.start(engine), deployment.MIXED[0])
        storage = JobStorage(engine)
        (study,) = storage.get_all_studies()
        assert study.system_attrs["study:metric_names"] == [name, "accuracy"]
        (trial,) = storage.get_all_trials(study._study_id)
        assert trial.values == [6656 * 8 / unit, 0.899]

    def test_values_parameters_and_times_are_those_recorded(
        self, storage: JobStorage, lease: Lease
    ) -> None:
        trial = storage.get_all_trials(study_id(lease.job_id))[1]
        assert trial.values == [6656 * 6 / 8 / 1024, 0.89]
        assert trial.params == {
            "features.0 bits": 6,
            "features.0 quantizer": "affine",
            "features.3 bits": 6,
            "features.3 quantizer": "affine",
            "classifier bits": 6,
            "classifier quantizer": "affine",
        }
        assert trial.user_attrs["images"] == 1000
        assert trial.datetime_start is not None
        assert trial.datetime_complete is not None
        assert (trial.datetime_complete - trial.datetime_start).total_seconds() == pytest.approx(
            0.5, abs=1e-5
        )
        trial._validate()

    def test_no_infeasible_trial_is_best(self, storage: JobStorage, lease: Lease) -> None:
        number = study_id(lease.job_id)
        assert [trial.number for trial in storage.get_front(number)] == MIXED_FRONT
        name = storage.get_study_name_from_id(number)
        study = optuna.load_study(study_name=name, storage=storage)
        assert [trial.number for trial in study.best_trials] == MIXED_FRONT
        with pytest.raises(RuntimeError, match="single-objective"):
            storage.get_best_trial(number)

    def test_of_a_search_for_the_front_what_missed_the_floor_is_as_good(
        self, engine: Engine
    ) -> None:
        lease = deployment.running(engine, goal="front")
        deployment.record(engine, lease, *deployment.MIXED)
        number, storage = study_id(lease.job_id), JobStorage(engine)
        assert [trial.number for trial in storage.get_front(number)] == deployment.WIDER_FRONT
        name = storage.get_study_name_from_id(number)
        study = optuna.load_study(study_name=name, storage=storage)
        assert [trial.number for trial in study.best_trials] == deployment.WIDER_FRONT

    def test_a_copy_is_the_callers(self, storage: JobStorage, lease: Lease) -> None:
        number = study_id(lease.job_id)
        copied = storage.get_all_trials(number)
        copied[0].user_attrs["mine"] = 1
        shared = storage.get_all_trials(number, deepcopy=False)
        assert "mine" not in shared[0].user_attrs
        shared.clear()
        assert len(storage.get_all_trials(number)) == len(MIXED)

    def test_only_what_is_new_is_read(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        number = study_id(lease.job_id)
        before = storage.get_all_trials(number, deepcopy=False)
        deployment.record(engine, lease, deployment.trial(6, correct=895))
        after = storage.get_all_trials(number, deepcopy=False)
        assert len(after) == 7
        assert all(old is new for old, new in zip(before, after, strict=False))

    def test_a_finished_job_is_read_once(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        number = study_id(lease.job_id)
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        first = storage.get_all_trials(number)
        statements: list[object] = []
        event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told))
        assert storage.get_all_trials(number) == first
        assert statements == []
