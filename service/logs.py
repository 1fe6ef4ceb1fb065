"""Where a process's log goes: stderr, a line an event; stdout is for what was asked for."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict
from structlog.typing import Processor


def to_stderr() -> None:
    """Set up structlog for this process, with tracebacks without local values."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # asked for at every event: whoever redirects stderr later is followed
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        processors=processors(terminal=sys.stderr.isatty()),
    )


def processors(*, terminal: bool) -> list[Processor]:
    """Return what makes a line of an event: for people at a terminal, or for what reads logs."""
    return [
        structlog.contextvars.merge_contextvars,
        _escape,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.LogfmtRenderer(),
    ]


def _escape(  # rule: positional, because structlog passes them so
    _logger: object, _method: str, event: EventDict
) -> EventDict:
    """Write control characters out: requests' values could begin lines or command a terminal."""
    return {name: _escaped(value) for name, value in event.items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
    return value
