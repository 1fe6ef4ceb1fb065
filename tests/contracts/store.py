"""The store's contract: what every database under it must do; a subclass chooses the database.

It needs the fixtures `database_url`, a migrated database without rows, and `engine` on it.
"""

from tests.contracts.store_fence import FenceContract
from tests.contracts.store_jobs import JobsContract
from tests.contracts.store_lapses import LapsesContract
from tests.contracts.store_queue import QueueContract
from tests.contracts.store_trials import TrialsContract


class StoreContract(QueueContract, LapsesContract, FenceContract, JobsContract, TrialsContract):
    """All of it."""
