"""A job's number in the dashboard: the same in every process, whatever jobs there are."""

import hashlib

#: Every integer below it survives a trip through JavaScript.
_BITS = 53


def study_id(job_id: str) -> int:
    """Return the job's study id, 1 to 2**53 - 1.

    Two jobs in a million meet with a chance of 1 in 18,000; whoever lists jobs keeps the older.
    """
    digest = hashlib.sha256(job_id.encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - _BITS) or 1
