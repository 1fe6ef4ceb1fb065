"""One Chromium for every test of a page, started when the first of them asks for it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.service.browsing import Visit


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """Return a headless Chromium.

    Playwright's event loop counts as running in this thread from then on: a test that wants a loop
    of its own runs it in another thread.
    """
    # not for tests without a page: it takes a while to import
    from tests.service.browsing import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def browser(chromium: "Browser") -> Iterator["Browser"]:
    """Return the browser; what a test opens in it is closed after the test."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture(params=["desktop", "phone"])
def visit(request: pytest.FixtureRequest, browser: "Browser") -> "Visit":
    """Return a visit at this width."""
    from tests.service import browsing

    viewports = {"desktop": browsing.DESKTOP, "phone": browsing.PHONE}
    return browsing.Visit(browser, viewports[request.param])


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Return where screenshots go: a folder to look at if one is named, else a temporary one."""
    folder = Path(os.environ.get("BITFLOOR_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
