"""A folder for what one module's tests keep between them."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the caches of decoded images and sensitivities."""
    return tmp_path_factory.mktemp("cache")
