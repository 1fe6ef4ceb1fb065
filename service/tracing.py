"""Spans of work, for OpenTelemetry where its extra and an endpoint are there, else for nobody."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextlib import nullcontext
from typing import Protocol

import structlog

Attribute = str | int | float | bool

_log = structlog.get_logger()


class Span(Protocol):
    """A piece of work that has begun."""

    @property
    def trace_id(self) -> str | None:
        """What the trace is found by, 32 hex digits; None where nobody is told."""

    def rename(self, name: str) -> None:
        """Give the span the name that its end calls for."""

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Say something about the work."""

    def fail(self, why: str) -> None:
        """Say that the work failed; `why` is the kind of error, never its message."""


class Tracer(Protocol):
    """Where spans begin."""

    def span(
        self, name: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Span]:
        """Begin a span within the current one, or within the caller's that the headers name.

        Spans with headers are a server's. What the block raises is noted as its failure.
        """


class _Silent:
    """A span that nobody is told of."""

    trace_id = None

    def rename(self, name: str) -> None:
        """Do nothing."""

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Do nothing."""

    def fail(self, why: str) -> None:
        """Do nothing."""


class _Off:
    """A tracer that tells nobody; all its spans are the same one."""

    _nothing = nullcontext(_Silent())

    def span(
        self,
        name: str,  # noqa: ARG002 - the protocol's
        *,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
    ) -> AbstractContextManager[Span]:
        """Return the span that nobody is told of."""
        return self._nothing


OFF: Tracer = _Off()


def open_tracer(service: str, *, wanted: bool) -> Tracer:
    """Return a tracer that exports as the OTEL_* variables say, or OFF.

    `service` is the service's name unless OTEL_SERVICE_NAME gives another.
    """
    if not wanted:
        return OFF
    try:
        from service import otel  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        _log.warning(
            "no traces: an OTLP endpoint is set, and what sends them is not installed",
            missing=error.name,
            remedy="pip install 'bitfloor[otel]', or unset the endpoint",
        )
        return OFF
    return otel.exporting(service)
