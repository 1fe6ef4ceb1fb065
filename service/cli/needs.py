"""Imports of what a client is installed without, with the remedy where they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from service.cli.errors import MissingExtra

OURS = ("bitfloor", "service", "search", "workers", "migrations")


@contextmanager
def installed(extra: str) -> Iterator[None]:
    """Turn a failing import of somebody else's package into MissingExtra for this extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in OURS:
            raise
        raise MissingExtra(module, extra) from error


def require(module: str, *, extra: str) -> None:
    """Raise MissingExtra unless the module is installed; it is not imported."""
    with installed(extra):
        if find_spec(module) is None:
            raise ModuleNotFoundError(name=module)
