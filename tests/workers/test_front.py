"""A job whose goal is the front, from the queue to its end."""

import pytest
from sqlalchemy import Engine

from search.pareto import pareto_front
from search.spec import MEASURED
from search.trial import Verdict
from service.store import jobs
from service.store import trials
from service.store.values import JobState
from tests.workers.conftest import Submit
from workers.worker import Worker


class TestFront:
    @pytest.mark.parametrize(
        "bit_widths, state",
        [((1, 2, 3, 4, 6, 8), JobState.SUCCEEDED), ((1,), JobState.INFEASIBLE)],
    )
    def test_it_is_served_and_told_whether_or_not_anything_held(
        self,
        worker: Worker,
        submit: Submit,
        engine: Engine,
        *,
        bit_widths: tuple[int, ...],
        state: JobState,
    ) -> None:
        quantizers = ("affine", "codebook")
        said = {"bit_widths": bit_widths, "quantizers": quantizers, "confidence": MEASURED}
        job_id = submit(goal="front", sampler="bitfloor", **said).id
        worker.work_once()
        job, history = jobs.get(engine, job_id), trials.history(engine, job_id)
        assert job.state is state
        assert job.result is not None
        told = job.result["front"]
        stored = [one.result for one in trials.front(engine, job_id)]
        assert stored == [*pareto_front(history, goal="front")]
        assert [one["trial"] for one in told["trials"]] == [one.number for one in stored]
        assert {one.complete for one in history if one.verdict is not Verdict.DOMINATED} == {True}
        assert any(not one.feasible for one in stored)
