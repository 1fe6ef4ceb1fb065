"""What a worker process does in the tests of the queue: claim until nothing is left."""

from service.store import leases
from service.store import session
from tests.contracts.samples import LONG


def claim_all(url: str) -> list[str]:
    """Return the ids of the jobs that this process was given."""
    engine = session.open_engine(url)
    claimed: list[str] = []
    while (taken := leases.claim(engine, lease_seconds=LONG)) is not None:
        claimed.append(taken[1].id)
    engine.dispose()
    return claimed


def migrate(url: str) -> None:
    """Bring the schema up to date, as `bitfloor migrate` does."""
    engine = session.open_engine(url)
    session.migrate(engine)
    engine.dispose()
