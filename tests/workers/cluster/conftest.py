"""A folder for what one module's tests keep between them, and one cluster at a time."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the caches of decoded images and sensitivities."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def _alone(only_cluster: None) -> None:
    """Every module here starts a cluster."""
