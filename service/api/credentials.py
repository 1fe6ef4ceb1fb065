"""Finds out whom a request comes from: by its token, its session, or because nobody is asked."""

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from service.api.errors import TooManyRequests
from service.api.errors import Unauthenticated
from service.api.options import Options
from service.api.rates import Rate
from service.store import sessions
from service.store import tokens
from service.store.access import ANYBODY
from service.store.access import Principal

COOKIE = "bitfloor_session"
READING = ("GET", "HEAD")

_LONGEST = 200  # characters; whatever is longer is no token


class Credentials:
    """Reads tokens and sessions from requests; guessing is slowed down by address."""

    def __init__(self, engine: Engine, options: Options) -> None:
        self._engine = engine
        self._required = options.require_tokens
        self._guesses = Rate(options.guesses_per_minute)

    def shown(self, scope: Scope) -> bool:
        """Tell whether the request shows anything that has to be looked up."""
        return any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])

    def principal(self, scope: Scope) -> Principal:
        """Return whom the request comes from; raise Unauthenticated or TooManyRequests.

        A session only reads: a form on another page cannot make a browser change anything.
        """
        shown = Headers(scope=scope).get("authorization")
        if shown is not None:
            return self.of_token(_bearer(shown), address=address_of(scope))
        secret = HTTPConnection(scope).cookies.get(COOKIE)
        if secret and scope["method"] in READING:
            found = sessions.principal(self._engine, secret[:_LONGEST])
            if found is not None:
                return found
        if self._required:
            raise Unauthenticated(shown=False)
        return ANYBODY

    def good(self, scope: Scope) -> bool:
        """Tell whether the request would be let in now, as it was when it came."""
        try:
            self.principal(scope)
        except (Unauthenticated, TooManyRequests):
            return False
        return True

    def of_token(self, text: str, *, address: str) -> Principal:
        """Return whom the token stands for; raise Unauthenticated or TooManyRequests.

        A good token is good however many wrong ones came from its address, where others may be.
        """
        found = tokens.principal(self._engine, text) if len(text) <= _LONGEST else None
        if found is None:
            self._guesses.count(address)
            raise Unauthenticated(shown=True)
        return found


def address_of(scope: Scope) -> str:
    """Return the address that the request came from."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
