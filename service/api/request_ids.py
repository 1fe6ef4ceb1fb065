"""An id for every request, the caller's own where it is a plain token; log lines tell it."""

import re
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.datastructures import MutableHeaders
from starlette.types import Scope

HEADER = "X-Request-Id"
LONGEST = 128

_TOKEN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{0,{LONGEST - 1}}}", re.ASCII)


def assign(scope: Scope) -> str:
    """Return the request's id, and remember it for whoever answers in its place.

    It is the caller's if there is exactly one header and it is a token of at most LONGEST signs.
    """
    said = Headers(scope=scope).getlist(HEADER)
    taken = len(said) == 1 and _TOKEN.fullmatch(said[0])
    request_id = said[0] if taken else uuid4().hex
    scope.setdefault("state", {})["request_id"] = request_id
    return request_id


def add(headers: MutableHeaders, scope: Scope) -> None:
    """Tell the caller the id that `assign` gave the request, if it got as far."""
    if request_id := scope.get("state", {}).get("request_id"):
        headers[HEADER] = request_id
