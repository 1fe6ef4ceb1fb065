"""How many shards a job gets of those that there could be."""

from search.spec import AUTO
from search.spec import JobSpec


def wanted(job: JobSpec, most: int) -> int:
    """Return how many to open, at least one; `most` is how many the worker has room for."""
    asked = most if job.parallelism == AUTO else int(job.parallelism)
    return max(1, min(asked, most))
