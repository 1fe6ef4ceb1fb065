"""Chromium for tests that look at pages as a person does, and a page that remembers."""

import os
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its generated code, not ours
    from playwright.sync_api import Browser
    from playwright.sync_api import Page
    from playwright.sync_api import ViewportSize
    from playwright.sync_api import expect
    from playwright.sync_api import sync_playwright

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
DESKTOP = ViewportSize(width=1280, height=1000)
PHONE = ViewportSize(width=390, height=844)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: of every module that asks for the `browser`
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# milliseconds, as long as whatever else is waited for here: the machine may be busy
expect.set_options(timeout=30_000)


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a headless Chromium without a network of its own, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def until(page: Page, expression: str, *, seconds: float = 30.0) -> None:
    """Ask the page until the expression holds, or fail.

    Not `wait_for_function`: beyond its first try it evaluates within the page, where a policy
    without `unsafe-eval` forbids it. Asked from here, each try is as the first.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, (
            f"after {seconds:g} s this still does not hold: {expression}"
        )
        page.wait_for_timeout(50)


class Visit:
    """A page that remembers what went wrong on it and who was asked for what."""

    def __init__(self, browser: Browser, viewport: ViewportSize) -> None:
        self.width = viewport["width"]
        self.page: Page = browser.new_page(viewport=viewport)
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _console(self, message: Any) -> None:
        # what a policy forbids is told here
        if message.type == "error" or "Content Security Policy" in message.text:
            self.errors.append(message.text)

    def elsewhere(self, address: str) -> list[str]:
        """Return requests to anybody but us."""
        own = (address, "data:", "blob:")
        return [url for url in self.asked if not url.startswith(own)]
