"""A job that starts from an earlier one evaluates nothing twice, and depends on it no longer."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from search.allocation import QuantizerConfig
from search.racing import Race
from search.rules import PointRule
from search.spec import JobSpec
from search.trial import EARLIER
from service.store import jobs
from service.store import starts
from service.store import trials
from service.store.models import JobRow
from service.store.values import Job
from service.store.values import JobState
from tests.workers.conftest import Submit
from tests.workers.test_killed import killed_midway
from tests.workers.test_killed import wait_until
from tests.workers.test_killed import worker_process
from tests.workers.test_workbench import AROUND
from tests.workers.test_workbench import CPU
from tests.workers.test_workbench import MODELS
from workers import sensitivity
from workers import start
from workers import workbench
from workers.worker import Worker

BUDGET = 15  # trials of a search that is killed


def carry_out(worker: Worker, job: Job) -> Job:
    """Let the worker end the job, which has to be the next."""
    assert worker.work_once()
    ended = jobs.get(worker.engine, job.id)
    assert ended.state.final
    return ended


class TestWarm:
    def test_earlier_trials_count_and_cost_nothing(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit())
        job = carry_out(worker, submit(tolerance=0.03, budget=4, from_job=earlier.id))
        assert job.state is JobState.SUCCEEDED
        history = trials.history(engine, job.id)
        taken, own = history[:12], history[12:]
        assert [one.origin for one in taken] == [EARLIER] * 12
        before = trials.history(engine, earlier.id)
        assert [one.allocation for one in taken] == [one.allocation for one in before]
        assert [one.hits for one in taken] == [one.hits for one in before]
        assert {one.allocation for one in own}.isdisjoint(
            one.allocation for one in taken if one.decided
        )
        assert (job.progress.trials, len(own)) == (4, 4)
        # the float model on both splits, the calibration, trials and checks: no sensitivity again
        assert job.result is not None
        assert job.progress.images_evaluated == job.result["images_evaluated"]
        assert earlier.result is not None
        spared = earlier.result["images_evaluated"] - job.result["images_evaluated"]
        assert spared > 3 * 100
        options = 9 * 8
        assert job.taken is not None
        assert (job.taken.trials, job.taken.sensitivities) == (12, options)
        assert job.result["from_job"] == earlier.id
        assert job.result["taken"] == {"trials": 12, "sensitivities": options}

    def test_verdicts_are_those_of_the_new_floor(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit(confidence=0.5))
        assert earlier.setup is not None
        job = carry_out(worker, submit(confidence=0.5, tolerance=0.1, from_job=earlier.id))
        race = Race.of(replace(earlier.setup.baseline, tolerance=0.1), None)
        taken = [one for one in trials.history(engine, job.id) if one.earlier]
        assert taken
        for one in taken:
            assert one.verdict == (race.decide(one.hits) or "undecided")
        before = {one.verdict for one in trials.history(engine, earlier.id)}
        assert [one.verdict for one in taken] != [*before]

    def test_of_another_menu_only_what_lies_in_it_is_taken(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit(bit_widths=(3, 4, 5, 6)))
        job = carry_out(
            worker,
            submit(
                bit_widths=(4, 5, 8),
                quantizers=("affine", "codebook"),
                from_job=earlier.id,
                budget=3,
            ),
        )
        taken = [one for one in trials.history(engine, job.id) if one.earlier]
        offered = {QuantizerConfig("affine", bits) for bits in (4, 5)}
        assert all({option for _, option in one.allocation.items()} <= offered for one in taken)
        assert job.taken is not None
        assert job.taken.sensitivities == 9 * 2
        kept = starts.kept(engine, job.id)
        assert kept is not None
        assert kept.sensitivity is not None
        found = sensitivity.of(kept.sensitivity)
        assert {len(options) for options in found.energies.values()} == {6}
        assert found.images == 3 * 100

    def test_once_it_has_begun_the_earlier_job_may_be_altered_or_gone(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit())
        first = submit(tolerance=0.03, budget=3, from_job=earlier.id)
        undisturbed = carry_out(worker, first)
        again = carry_out(worker, submit(tolerance=0.03, budget=3, from_job=first.id))
        with engine.begin() as connection:
            connection.execute(delete(JobRow).where(JobRow.id == earlier.id))
        assert trials.history(engine, first.id)[:12]
        assert jobs.get(engine, first.id).result == undisturbed.result
        # a job that was started from is one to start from
        assert again.taken is not None
        assert again.taken.trials == 15

    def test_what_it_took_over_is_another_search_to_be_answered_from(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit(budget=5))
        warm = carry_out(worker, submit(budget=5, fresh=False, from_job=earlier.id))
        assert warm.answered_by is None
        again = carry_out(worker, submit(budget=5, fresh=False, from_job=earlier.id))
        assert (again.answered_by, again.taken) == (warm.id, warm.taken)
        assert again.result == warm.result
        cold = carry_out(worker, submit(budget=5, fresh=False))
        assert cold.answered_by == earlier.id


class TestRefused:
    @pytest.mark.parametrize(
        "field, told",
        [
            ("model", "what is behind the name of its model has been replaced"),
            ("dataset", "what is behind the name of its dataset has been replaced"),
            ("torch", "its torch is another, and here it is 2."),
        ],
    )
    def test_other_content_fails_and_says_what(
        self, worker: Worker, submit: Submit, engine: Engine, field: str, told: str
    ) -> None:
        earlier = carry_out(worker, submit(budget=1))
        with engine.begin() as connection:
            ground = connection.execute(select(JobRow.ground)).scalar_one()
            assert ground is not None
            connection.execute(update(JobRow).values(ground={**ground, field: "another"}))
        job = carry_out(worker, submit(from_job=earlier.id))
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert job.error.code == "earlier-job-unusable"
        assert told in job.error.message
        assert "submit again without from_job" in job.error.message
        assert trials.history(engine, job.id) == ()

    def test_a_job_that_is_gone_before_it_begins_fails(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier = carry_out(worker, submit(budget=1))
        job = submit(from_job=earlier.id)
        with engine.begin() as connection:
            connection.execute(delete(JobRow).where(JobRow.id == earlier.id))
        ended = carry_out(worker, job)
        assert ended.state is JobState.FAILED
        assert ended.error is not None
        assert "no such job any more" in ended.error.message


class TestSame:
    def test_what_is_fitted_with_others_in_view_or_to_a_bound_is_told_apart(self) -> None:
        now = JobSpec(
            model="digits-vgg",
            dataset="digits",
            tolerance=0.02,
            quantizers=("affine", "codebook_bounded", "fixed_point_shared"),
            bit_widths=(4, 8),
        )
        bench = workbench.prepare(now, models=MODELS, around=AROUND, device=CPU, batch=128)
        point = bench.network.points[0].name
        bound = ((point, PointRule(upper_bound=0.5)),)
        affine, bounded, shared = (QuantizerConfig(name, 4) for name in now.quantizers)
        alike = start.same(bench, replace(now, bit_widths=(4, 16), points=bound))
        assert alike(point, affine)
        assert not alike(point, bounded)
        assert not alike(point, shared)
        other = bench.network.points[1].name
        assert alike(other, bounded)
        assert start.same(bench, replace(now, tolerance=0.1, quantizers=("affine",)))(point, shared)


def test_killed_mid_search_it_ends_as_an_undisturbed_one(
    engine: Engine, database_url: str, submit: Submit
) -> None:
    earlier = submit(budget=10).id
    asked = {"tolerance": 0.03, "budget": BUDGET, "from_job": earlier}
    undisturbed = submit(**asked).id
    killed = killed_midway(database_url, lambda: submit(**asked), trials_done=4, budget=BUDGET)
    with engine.begin() as connection:
        # what was taken over is the job's own by now
        connection.execute(delete(JobRow).where(JobRow.id == earlier))
    with worker_process(database_url):
        job = wait_until(engine, killed, trials_done=BUDGET + 1)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert trials.history(engine, killed) == trials.history(engine, undisturbed)
    assert job.result == jobs.get(engine, undisturbed).result
    assert job.progress.trials == BUDGET
