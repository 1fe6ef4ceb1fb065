"""The queue behaves as its model does, over sequences of acts that nobody thought of."""

import pytest
from sqlalchemy import Engine

from tests.contracts import store_machine

EXAMPLES = 20  # sequences, unless more are asked for


def test_the_queue_is_what_its_model_is(engine: Engine, request: pytest.FixtureRequest) -> None:
    asked = int(request.config.getoption("--state-machine-examples"))
    store_machine.run(engine, examples=asked or EXAMPLES)
