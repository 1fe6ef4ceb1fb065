"""Where a process's log goes: stderr, a line an event; stdout is for what was asked for."""

import logging
import sys

import structlog


def to_stderr() -> None:
    """Set up structlog for this process, with tracebacks without local values."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # asked for at every event: whoever redirects stderr later is followed
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.LogfmtRenderer(),
        ],
    )
