"""A model root with nothing in it."""

from pathlib import Path

import pytest

from workers.roots import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Return the root over this test's own folder."""
    return Root(tmp_path, "model root", "BITFLOOR_MODEL_ROOT")
