"""Where a server's log goes: stderr, in the format of the workers; stdout is for the addresses."""

import logging
import sys
from copy import deepcopy
from typing import Any

import structlog
import uvicorn


def to_stderr() -> None:
    """Set up structlog for this process: a line an event, tracebacks without local values."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.LogfmtRenderer(),
        ],
    )


def of_uvicorn() -> dict[str, Any]:
    """Return uvicorn's own logging configuration with every stream moved to stderr."""
    config = deepcopy(uvicorn.config.LOGGING_CONFIG)
    for handler in config["handlers"].values():
        handler["stream"] = "ext://sys.stderr"
    return config
