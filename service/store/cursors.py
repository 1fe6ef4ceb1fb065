"""Opaque cursors: the sort key of a page's last item, in base64."""

import base64
import binascii
import json
import math
import uuid

from service.store import codec
from service.store.errors import BadCursor

_LARGEST = 2**63 - 1


def encode(*key: float | str) -> str:
    """Return the sort key as text that is safe in a URL."""
    return base64.urlsafe_b64encode(codec.dumps(key).encode()).decode().rstrip("=")


def job_key(cursor: str) -> tuple[float, str]:
    """Return (created_at, id); raise BadCursor where the text holds anything else."""
    match _decode(cursor):
        case [float(created_at), str(job_id)] if math.isfinite(created_at) and is_job_id(job_id):
            return created_at, job_id
    raise BadCursor(cursor)


def trial_key(cursor: str) -> int:
    """Return the trial's number; raise BadCursor where the text holds anything else."""
    match _decode(cursor):
        # JSON's true is an int to Python
        case [int(number)] if not isinstance(number, bool) and 0 <= number <= _LARGEST:
            return number
    raise BadCursor(cursor)


def is_job_id(text: str) -> bool:
    """Tell whether the text is a UUID as we write it: a job has one spelling."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _decode(cursor: str) -> object:
    padding = "=" * (-len(cursor) % 4)
    try:
        return json.loads(base64.b64decode(cursor + padding, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor(cursor) from error
