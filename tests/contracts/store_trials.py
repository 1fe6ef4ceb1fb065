"""What any database must do with trials: keep each one once, in order, and the front they make."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import select
from sqlalchemy import update

from search.pareto import pareto_front
from search.spec import GOALS
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.errors import BadCursor
from service.store.errors import JobNotFound
from service.store.errors import TrialAlreadyRecorded
from service.store.errors import TrialNotFound
from service.store.models import JobRow
from service.store.values import Lease
from tests.contracts import samples
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial

on_one_database = settings(
    deadline=None,
    max_examples=30,
    # the examples share a database; each looks at its own job
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def record(engine: Engine, lease: Lease, result: TrialResult) -> bool:
    return trials.record(engine, lease, result, seconds=2.5, lease_seconds=LONG)


class TrialsContract:
    def test_a_trial_comes_back_with_its_times(self, engine: Engine) -> None:
        job = enqueue(engine)
        record(engine, claim(engine), trial(0))
        stored = trials.get(engine, job.id, 0)
        assert (stored.result, stored.seconds) == (trial(0), 2.5)
        started_at = jobs.get(engine, job.id).started_at
        assert started_at is not None
        assert stored.finished_at >= started_at

    @on_one_database
    @given(result=samples.trials)
    def test_any_trial_comes_back_as_it_was(self, engine: Engine, result: TrialResult) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        record(engine, lease, result)
        assert trials.history(engine, job.id) == (result,)
        leases.cancel(engine, lease)

    @on_one_database
    @given(rivals=samples.rivals, goal=st.sampled_from(GOALS))
    def test_the_front_is_that_of_all_trials(
        self, engine: Engine, rivals: list[TrialResult], goal: str
    ) -> None:
        job = enqueue(engine, spec=replace(samples.SPEC, goal=goal))
        lease = claim(engine)
        numbered = [replace(rival, number=number) for number, rival in enumerate(rivals)]
        for result in numbered:
            record(engine, lease, result)
        expected = pareto_front(numbered, goal=goal)
        assert tuple(stored.result for stored in trials.front(engine, job.id)) == expected
        progress = jobs.get(engine, job.id).progress
        feasible = [result for result in numbered if result.feasible]
        fewest = min(feasible, key=lambda t: (t.memory_bits, t.number), default=None)
        assert progress.best == fewest
        assert progress.trials == len(numbered)
        assert progress.images_evaluated == 8 * len(numbered)
        leases.cancel(engine, lease)

    def test_a_trial_decided_early_can_be_the_best_but_on_no_front(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        early = trial(1, memory_bits=64, complete=False, hits=Hits(images=4, correct=4))
        for result in (trial(0, memory_bits=128), early, trial(2, memory_bits=96)):
            record(engine, lease, result)
        assert jobs.get(engine, job.id).progress.best == early
        assert [stored.result.number for stored in trials.front(engine, job.id)] == [2]

    def test_of_a_job_from_before_there_were_goals_only_what_held_is_on_the_front(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        with engine.begin() as connection:
            stored = connection.execute(select(JobRow.submission)).scalar_one()
            stored["spec"].pop("goal")
            connection.execute(update(JobRow).values(submission=stored))
        lease = claim(engine)
        record(engine, lease, trial(0, memory_bits=8, verdict=Verdict.MISSED))
        record(engine, lease, trial(1, memory_bits=16))
        assert [stored.result.number for stored in trials.front(engine, job.id)] == [1]

    def test_a_listing_shows_the_best_trial(self, engine: Engine) -> None:
        enqueue(engine)
        record(engine, claim(engine), trial(3))
        (job,) = jobs.page(engine).items
        assert job.progress.best == trial(3)

    def test_the_same_number_is_refused_and_the_first_trial_kept(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        record(engine, lease, trial(0))
        before = jobs.get(engine, job.id)
        with pytest.raises(TrialAlreadyRecorded, match="trial 0"):
            record(engine, lease, trial(0, memory_bits=1, hits=Hits(images=10, correct=10)))
        assert trials.history(engine, job.id) == (trial(0),)
        assert jobs.get(engine, job.id) == before

    def test_recording_tells_whether_to_stop(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        assert not record(engine, lease, trial(0))
        jobs.request_cancel(engine, job.id)
        assert record(engine, lease, trial(1))

    def test_recording_renews_the_lease(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine, lease_seconds=LONG)
        trials.record(engine, lease, trial(0), seconds=1, lease_seconds=0)
        assert claim(engine).attempt == 2

    def test_history_is_in_order_whatever_came_first(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        for number in (2, 0, 1):
            record(engine, lease, trial(number))
        assert [result.number for result in trials.history(engine, job.id)] == [0, 1, 2]

    def test_another_attempt_goes_on_where_the_last_one_stopped(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        record(engine, lease, trial(0))
        leases.release(engine, lease)
        record(engine, claim(engine), trial(1))
        assert trials.history(engine, job.id) == (trial(0), trial(1))

    def test_pages_neither_skip_nor_repeat_while_trials_arrive(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        for number in range(4):
            record(engine, lease, trial(number))
        first = trials.page(engine, job.id, limit=2)
        record(engine, lease, trial(4))
        second = trials.page(engine, job.id, limit=2, cursor=first.next_cursor)
        third = trials.page(engine, job.id, limit=2, cursor=second.next_cursor)
        pages = [[stored.result.number for stored in page.items] for page in (first, second, third)]
        assert pages == [[0, 1], [2, 3], [4]]
        assert third.next_cursor is None

    def test_a_follower_is_given_what_it_has_not_seen(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        for number in range(4):
            record(engine, lease, trial(number))
        unseen = trials.after(engine, job.id, 1, limit=10)
        assert [stored.result.number for stored in unseen] == [2, 3]
        assert trials.after(engine, job.id, 3, limit=10) == ()

    def test_trials_of_other_jobs_stay_apart(self, engine: Engine) -> None:
        first, second = enqueue(engine), enqueue(engine)
        record(engine, claim(engine), trial(0))
        record(engine, claim(engine), trial(1))
        assert trials.history(engine, first.id) == (trial(0),)
        assert trials.history(engine, second.id) == (trial(1),)

    @pytest.mark.parametrize("cursor", ["", "!", "WyJ4Il0", "W3RydWVd", "Wy0xXQ", "W10"])
    def test_what_is_no_cursor_of_trials_is_refused(self, engine: Engine, cursor: str) -> None:
        job = enqueue(engine)
        with pytest.raises(BadCursor):
            trials.page(engine, job.id, cursor=cursor)

    def test_a_number_without_a_trial_is_not_found(self, engine: Engine) -> None:
        job = enqueue(engine)
        record(engine, claim(engine), trial(5))
        with pytest.raises(TrialNotFound):
            trials.get(engine, job.id, 4)

    @pytest.mark.parametrize("job_id", ["nonsense", "\0", "01a20899-af86-72ee-8086-ed2fab9297d2"])
    @pytest.mark.parametrize(
        "look_up",
        [trials.history, trials.page, trials.front, lambda e, i: trials.get(e, i, 0)],
        ids=["history", "page", "front", "get"],
    )
    def test_what_is_no_job_has_no_trials(
        self, engine: Engine, job_id: str, look_up: Callable[[Engine, str], object]
    ) -> None:
        with pytest.raises(JobNotFound):
            look_up(engine, job_id)
