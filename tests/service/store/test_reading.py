"""What is asked for often reads no large document that it does not tell."""

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event

from service.store import jobs
from tests.contracts.samples import enqueue


@pytest.mark.parametrize("use", [jobs.outline, jobs.result, lambda engine, _: jobs.page(engine)])
def test_histograms_are_left_where_they_are(engine: Engine, use: Any) -> None:
    job = enqueue(engine)
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    use(engine, job.id)
    assert [text for text in sent if "jobs.state" in text]
    assert not [text for text in sent if "histograms" in text]


def test_an_outline_is_the_job_itself_while_it_has_no_large_documents(engine: Engine) -> None:
    job = enqueue(engine, labels={"team": "vision"}, priority=3)
    assert jobs.outline(engine, job.id) == jobs.get(engine, job.id) == job
    assert jobs.result(engine, job.id) == (job.state, None)
