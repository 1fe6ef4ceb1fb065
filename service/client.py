"""A small sync client for the REST API; it needs httpx and pydantic, and no other part of bitfloor.

Its errors are those of `service.client_errors`, and every job it returns is a `JobHandle`.
"""

import ipaddress
import json
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from typing import Self
from typing import TypeVar
from typing import overload
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from service.answers import Answer
from service.answers import Best
from service.answers import Front
from service.answers import Offers
from service.answers import Trial
from service.answers import TrialPage
from service.client_errors import ClientError
from service.client_errors import NotBitfloor
from service.client_errors import Problem
from service.client_errors import Unreachable
from service.client_errors import WaitTimeout
from service.delivery_answers import Deliveries
from service.delivery_answers import Delivery
from service.handle import JobHandle
from service.handle import JobPage

DEFAULT_SERVER = "http://127.0.0.1:8765"
POLL_INTERVAL = 0.5  # seconds
PATIENCE = 60.0  # seconds a followed job's server may be away, as while it is restarted
PAGE_LIMIT = 200  # items a request

AnAnswer = TypeVar("AnAnswer", bound=Answer)

__all__ = [
    "DEFAULT_SERVER",
    "BitfloorClient",
    "ClientError",
    "NotBitfloor",
    "Problem",
    "Unreachable",
    "WaitTimeout",
]


class BitfloorClient:
    """The REST API of one server, over one pool of connections; a context manager."""

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.server = server.rstrip("/")
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            transport=transport,
            # a proxy cannot reach our own loopback, whatever the environment says
            trust_env=not _is_loopback(server),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def submit(self, spec: Mapping[str, Any], *, idempotency_key: str | None = None) -> JobHandle:
        """Enqueue a search; the same key with the same spec gives the same job."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = json.dumps(spec, allow_nan=False).encode()
        headers["Content-Type"] = "application/json"
        return self._read(
            JobHandle, self._request("POST", "/v1/jobs", content=body, headers=headers)
        )

    def job(self, job_id: str) -> JobHandle:
        """Return the job as it stands."""
        return self._get(JobHandle, _path(job_id))

    def jobs(self, *, state: str | None = None, label: str | None = None) -> Iterator[JobHandle]:
        """Yield the jobs, newest first, fetching pages as they are asked for."""
        page: JobPage | None = None
        while page is None or page.next:
            asked = {"state": state, "label": label, "cursor": page.next if page else None}
            page = self._get(JobPage, "/v1/jobs", **asked, limit=PAGE_LIMIT)
            yield from page.items

    def cancel(self, job_id: str) -> JobHandle:
        """Ask for the job to end; a running one does within seconds."""
        return self._read(JobHandle, self._request("POST", _path(job_id, "/cancel")))

    def change_priority(self, job_id: str, priority: int) -> JobHandle:
        """Put the job before or behind others; a running one, for when it returns to the queue."""
        body = {"priority": priority}
        return self._read(JobHandle, self._request("POST", _path(job_id, "/priority"), json=body))

    def trials(self, job_id: str) -> Iterator[Trial]:
        """Yield the job's trials in order, fetching pages as they are asked for."""
        page: TrialPage | None = None
        while page is None or page.next:
            cursor = page.next if page else None
            page = self._get(TrialPage, _path(job_id, "/trials"), cursor=cursor, limit=PAGE_LIMIT)
            yield from page.items

    def front(self, job_id: str) -> Front:
        """Return the job's Pareto front so far."""
        return self._get(Front, _path(job_id, "/front"))

    @overload
    def best(self, job_id: str, *, etag: None = None) -> Best: ...

    @overload
    def best(self, job_id: str, *, etag: str) -> Best | None: ...

    def best(self, job_id: str, *, etag: str | None = None) -> Best | None:
        """Return the certified best allocation; None if it still is the one with this `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._request("GET", _path(job_id, "/best"), headers=headers)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        return self._read(Best, response)

    def report(self, job_id: str) -> str:
        """Return the job's report, one self-contained HTML page."""
        return self._request("GET", _path(job_id, "/report")).text

    def deliveries(self, job_id: str) -> tuple[Delivery, ...]:
        """Return what the job's webhook was told, in the order of events."""
        return tuple(self._get(Deliveries, _path(job_id, "/deliveries")).items)

    def resend(self, job_id: str, delivery_id: str) -> Delivery:
        """Have a delivery that is over sent once more, under the same id."""
        path = _path(job_id, f"/deliveries/{quote(delivery_id, safe='')}/resend")
        return self._read(Delivery, self._request("POST", path))

    def offers(self, kind: str) -> Offers:
        """Return what the deployment offers: "models", "datasets", "quantizers", "samplers"."""
        return self._get(Offers, f"/v1/{kind}")

    def ready(self) -> bool:
        """Tell whether the server is up and its database usable."""
        try:
            self._request("GET", "/readyz")
        except ClientError:
            return False
        return True

    def follow(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Iterator[JobHandle]:
        """Yield the job again and again, until and including its final state.

        A server that does not answer is waited for; after `patience` seconds Unreachable is raised.
        After `timeout` seconds WaitTimeout is, whatever the server does; None: never.
        """
        deadline = None if timeout is None else clock() + timeout
        away = 0.0
        while True:
            try:
                job = self.job(job_id)
            except Unreachable:
                if away >= patience:
                    raise
                away += POLL_INTERVAL
            else:
                away = 0.0
                yield job
                if job.state.final:
                    return
            left = POLL_INTERVAL if deadline is None else deadline - clock()
            if timeout is not None and left <= 0:
                raise WaitTimeout(job_id, timeout)
            sleep(min(POLL_INTERVAL, left))

    def _get(self, kind: type[AnAnswer], path: str, **asked: str | int | None) -> AnAnswer:
        params = {name: value for name, value in asked.items() if value is not None}
        return self._read(kind, self._request("GET", path, params=params))

    def _read(self, kind: type[AnAnswer], response: httpx.Response) -> AnAnswer:
        try:
            return kind.model_validate_json(response.content, context=self._context(response))
        except ValidationError as error:
            raise NotBitfloor(str(response.url), response.status_code) from error

    def _context(self, response: httpx.Response) -> Mapping[str, Any]:
        """Return what answers keep beside their own fields."""
        return {"server": self, "raw": response.content, "etag": response.headers.get("etag")}

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"{self.server}{path}", **options)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable(self.server, str(error) or type(error).__name__) from error
        unchanged = response.status_code == httpx.codes.NOT_MODIFIED
        if response.is_success or (unchanged and "If-None-Match" in response.request.headers):
            return response
        if response.headers.get("content-type", "").startswith("application/problem+json"):
            raise Problem(response.status_code, response.json())
        raise NotBitfloor(str(response.url), response.status_code)


def _path(job_id: str, rest: str = "") -> str:
    # an id is whatever was typed; it must not reach into another path
    return f"/v1/jobs/{quote(job_id, safe='')}{rest}"


def _is_loopback(server: str) -> bool:
    try:
        host = httpx.URL(server).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False
