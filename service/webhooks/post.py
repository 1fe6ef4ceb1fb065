"""Posts one webhook to one receiver: to an allowed host, at a checked address, within its time.

No redirect is followed, no proxy used, no cookie kept, and of an answer's body nothing is told.
"""

import ssl
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from service.store.webhooks import Outcome
from service.webhooks import addresses
from service.webhooks import allowlist
from service.webhooks.addresses import Resolve
from service.webhooks.allowlist import AllowedHost
from service.webhooks.errors import AddressRefused
from service.webhooks.errors import HostUnknown
from service.webhooks.errors import WebhookError
from service.webhooks.pinned import Deadline
from service.webhooks.pinned import PinnedBackend
from service.webhooks.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a receiver may take, in seconds, and how much it may say."""

    connect: float = 5.0
    #: for each piece of the answer
    read: float = 10.0
    #: for everything, resolving the name included
    total: float = 20.0
    #: bytes of the answer's body that are taken off the line
    body: int = 4096


class Sender:
    """Posts to allowed hosts only; may be used by many threads at once."""

    def __init__(
        self,
        allowed: Sequence[AllowedHost],
        *,
        resolve: Resolve = addresses.resolve,
        context: ssl.SSLContext | None = None,
        limits: Limits = Limits(),
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._context = context or httpcore.default_ssl_context()
        self._limits = limits

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Return what came of it; nothing that a receiver does raises."""
        deadline = Deadline(self._limits.total)
        try:
            target, entry = allowlist.require(url, self._allowed)
            backend = PinnedBackend(self._checked(target, entry), deadline)
            deadline.left()
            return _judged(self._status(target, headers, body=body, backend=backend))
        except WebhookError as error:
            return Outcome(error=str(error))
        except (httpcore.TimeoutException, TimeoutError):
            return Outcome(error="the receiver took too long")
        except httpcore.ConnectError as error:
            return Outcome(error=_no_connection(error))
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Outcome(error="the receiver did not answer as a web server does")

    def _checked(self, target: Target, entry: AllowedHost) -> Sequence[str]:
        """Return the host's addresses, every one of which webhooks may go to."""
        try:
            found = self._resolve(target.host, target.port)
        except OSError as error:
            raise HostUnknown(target.host) from error
        if not found:
            raise HostUnknown(target.host)
        if not all(addresses.permitted(address, entry.within) for address in found):
            raise AddressRefused(target.host)
        return found

    def _status(
        self, target: Target, headers: Mapping[str, str], *, body: bytes, backend: PinnedBackend
    ) -> int:
        limits = self._limits
        timeouts = {"connect": limits.connect, "read": limits.read, "write": limits.read}
        url = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path
        )
        named = {"Host": target.authority, "Content-Length": str(len(body)), **headers}
        with (
            httpcore.ConnectionPool(ssl_context=self._context, network_backend=backend) as pool,
            pool.stream(
                "POST",
                url,
                headers=list(named.items()),
                content=body,
                extensions={"timeout": timeouts},
            ) as answer,
        ):
            _drain(answer, limits.body)
            return answer.status


def _drain(answer: httpcore.Response, most: int) -> None:
    """Read a little of the body, so that an ordinary receiver sees its answer taken."""
    taken = 0
    # the status has come, and it alone counts
    with suppress(
        httpcore.TimeoutException, TimeoutError, httpcore.NetworkError, httpcore.ProtocolError
    ):
        for piece in answer.iter_stream():
            taken += len(piece)
            if taken >= most:
                return


def _judged(status: int) -> Outcome:
    match status // 100:
        case 2:
            return Outcome(status=status)
        case 3:
            return Outcome(status=status, error="the receiver redirects, which is not followed")
        case _:
            return Outcome(status=status, error=f"the receiver answered {status}")


def _no_connection(error: httpcore.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the receiver's certificate is not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "the receiver does not speak TLS"
        cause = cause.__cause__ or cause.__context__
    return "the receiver cannot be connected to"
