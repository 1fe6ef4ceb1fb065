"""Where a process's log goes: stderr, a line an event; stdout is for what was asked for."""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from textwrap import indent
from typing import Any

import structlog
from structlog.typing import EventDict
from structlog.typing import Processor

_PLAIN = (bool, int, float, type(None))
_FIRST = ("timestamp", "level", "event")
#: a token's text or a webhook's secret, wherever a person or a library put one: cut off ones, too
_SECRET = re.compile(r"(bitfloor_[0-9a-f]{16}_|whsec_)[A-Za-z0-9_/+=-]+")


def to_stderr(form: str | None = None, *, level: str = "info") -> None:
    """Set up structlog for this process, with tracebacks without local values.

    `form` is "console", "logfmt" or "json", None: console on a terminal, else logfmt. What others
    log through the standard library comes out the same way, from warnings on.
    """
    terminal = sys.stderr.isatty()
    chosen = form or ("console" if terminal else "logfmt")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # asked for at every event: whoever redirects stderr later is followed
        logger_factory=lambda *_: _Patient(sys.stderr),
        processors=processors(chosen, terminal=terminal),
    )
    # never below warnings, whatever our own level: what HTTP libraries tell at debug is headers
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def processors(form: str, *, terminal: bool) -> list[Processor]:
    """Return what makes a line of an event, in one of the three forms."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_secrets,
        *_forms(terminal=terminal)[form],
    ]


class _Patient(structlog.PrintLogger):
    """Says what it can: a log on a full disk is no reason to give up what it tells of."""

    def msg(self, message: str) -> None:
        """Print the line, if there is room for it."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg


class _Forward(logging.Handler):
    """Hands on what was logged through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as an event of ours, with the name of its logger."""
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log = structlog.get_logger()
        log.log(level, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _forms(*, terminal: bool) -> Mapping[str, tuple[Processor, ...]]:
    """Return how each form is written; in none can a value begin a line of its own."""
    console = structlog.dev.ConsoleRenderer(
        colors=terminal, exception_formatter=structlog.dev.plain_traceback
    )
    # the renderer writes a line break as \n by itself
    logfmt = structlog.processors.LogfmtRenderer(key_order=_FIRST, drop_missing=True)
    return {
        "console": (_for_console, console),
        "logfmt": (_for_logfmt, logfmt),
        # whatever is not ASCII is escaped
        "json": (structlog.processors.JSONRenderer(),),
    }


def _without_secrets(  # rule: positional, because structlog passes them so
    _logger: Any, _method: str, event: EventDict
) -> EventDict:
    """Leave the beginning of a secret, which tells whose it was, and nothing of the rest."""
    return {key: _cleared(value) for key, value in event.items()}


def _cleared(value: object) -> object:
    if isinstance(value, _PLAIN):
        return value
    text = str(value)
    return _SECRET.sub(r"\1...", text) if _SECRET.search(text) else value


def _for_console(  # rule: positional, because structlog passes them so
    _logger: Any, _method: str, event: EventDict
) -> EventDict:
    """Escape control characters; a traceback keeps its lines, each set in."""
    trace = event.pop("exception", None)
    shown: EventDict = {key: _escaped(value, keep="") for key, value in event.items()}
    if trace is not None:
        shown["exception"] = indent(str(_escaped(trace, keep="\n")), "    ")
    return shown


def _for_logfmt(  # rule: positional, because structlog passes them so
    _logger: Any, _method: str, event: EventDict
) -> EventDict:
    """Escape every control character but line breaks."""
    return {key: _escaped(value, keep="\n") for key, value in event.items()}


def _escaped(value: object, *, keep: str) -> object:
    if isinstance(value, _PLAIN):
        return value
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in keep else sign.encode("unicode_escape").decode()
        for sign in text
    )
