"""Jobs in a database of either kind, and the dashboard's storage over them."""

import pytest
from sqlalchemy import Engine

from service.dashboard.storage import JobStorage
from service.store.values import Lease
from tests.service.api import deployment


@pytest.fixture
def lease(engine: Engine) -> Lease:
    """Return the lease on a running job with trials of every kind."""
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    return lease


@pytest.fixture
def storage(engine: Engine) -> JobStorage:
    """Return the storage."""
    return JobStorage(engine)
