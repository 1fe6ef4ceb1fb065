"""The report in a real browser: it draws, stays within the screen and asks nobody for anything."""

from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page

from search.allocation import QuantizationPoint
from service.report.page import render
from service.store.values import JobState
from service.store.values import Setup
from tests.service import browsing
from tests.service.report import front_samples
from tests.service.report import samples
from tests.service.report.test_page import EVIL

pytestmark = browsing.MARKS


@dataclass
class Seen:
    """What happened while a page was open."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def opened(browser: Browser, file: Path, *, width: int, scheme: str = "light") -> Seen:
    """Open the file and note what it says and asks for."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    seen = Seen(context.new_page())
    seen.page.on("console", lambda message: seen.messages.append(message.text))
    seen.page.on("pageerror", lambda error: seen.messages.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.messages.append(dialog.message))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(file.as_uri())
    return seen


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on a certified job."""
    path = tmp_path_factory.mktemp("report") / "certified.html"
    path.write_text(render(*samples.succeeded()), encoding="utf-8")
    return path


class TestEveryScreen:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_it_draws_in_silence_within_the_screen(
        self, browser: Browser, certified: Path, width: int, scheme: str
    ) -> None:
        seen = opened(browser, certified, width=width, scheme=scheme)
        page = seen.page
        assert page.locator(".plot .main-svg").count() >= 4
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for plot in page.locator(".plot .svg-container").all():
            box = plot.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert seen.messages == []
        assert seen.requests == [certified.as_uri()]

    @pytest.mark.parametrize("width", [1280, 390])
    def test_weights_are_drawn_beside_activations(
        self, browser: Browser, tmp_path: Path, width: int
    ) -> None:
        path = tmp_path / "both.html"
        path.write_text(render(*samples.both()), encoding="utf-8")
        seen = opened(browser, path, width=width)
        for name, points in (("bits", samples.POINTS), ("weight-bits", samples.WEIGHTS)):
            bars = seen.page.locator(f"#plot-{name} .bars .point path")
            assert bars.count() == len(points)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.messages == []

    def test_bars_and_dots_are_there_to_be_seen(self, browser: Browser, certified: Path) -> None:
        page = opened(browser, certified, width=1280).page
        bars = page.locator("#plot-bits .bars .point path")
        assert bars.count() == len(samples.POINTS)
        assert all(bar.bounding_box()["width"] > 5 for bar in bars.all())  # type: ignore[index]  # a bar has a box
        dots = page.locator("#plot-front .scatterlayer .point")
        # and the ring around the certified best
        assert dots.count() == len(samples.trials()) + 1

    def test_colours_follow_the_scheme(self, browser: Browser, certified: Path) -> None:
        page = opened(browser, certified, width=1280).page
        ink = "getComputedStyle(document.querySelector('#plot-front .xtick text')).fill"
        light = page.evaluate(ink)
        page.emulate_media(color_scheme="dark")
        browsing.until(page, f"{ink} !== {light!r}")

    def test_it_prints_dark_on_light_whatever_the_scheme(
        self, browser: Browser, certified: Path
    ) -> None:
        page = opened(browser, certified, width=1280, scheme="dark").page
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        background = "getComputedStyle(document.documentElement).backgroundColor"
        assert page.evaluate(background) == "rgb(255, 255, 255)"
        width = "document.querySelector('#plot-front .main-svg').getBoundingClientRect().width"
        assert page.evaluate(width) == 680
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate(background) != "rgb(255, 255, 255)"


class TestAccessible:
    def test_one_first_heading_and_a_name_for_every_plot(
        self, browser: Browser, certified: Path
    ) -> None:
        page = opened(browser, certified, width=1280).page
        assert page.locator("h1").count() == 1
        assert page.locator("html[lang=en]").count() == 1
        for plot in page.locator("[role=img]").all():
            assert plot.get_attribute("aria-label")

    def test_tables_have_captions_and_headers(self, browser: Browser, certified: Path) -> None:
        page = opened(browser, certified, width=1280).page
        tables = page.locator("table")
        assert tables.count() == 3
        assert page.locator("table caption").count() == tables.count()
        assert page.locator("tbody tr").count() == page.locator("tbody th[scope=row]").count()


class TestOtherJobs:
    @pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED])
    def test_a_job_without_trials_makes_no_noise(
        self, browser: Browser, tmp_path: Path, state: JobState
    ) -> None:
        path = tmp_path / "page.html"
        path.write_text(render(samples.job(state), (), ()), encoding="utf-8")
        assert opened(browser, path, width=390).messages == []

    def test_an_infeasible_job_draws_its_trials(self, browser: Browser, tmp_path: Path) -> None:
        path = tmp_path / "page.html"
        path.write_text(render(*samples.infeasible()), encoding="utf-8")
        seen = opened(browser, path, width=390)
        assert seen.page.locator("#plot-front .scatterlayer .point").count() > 0
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.messages == []

    def test_a_search_for_the_front_draws_it(self, browser: Browser, tmp_path: Path) -> None:
        job, found, front = front_samples.searched()
        path = tmp_path / "page.html"
        path.write_text(render(job, found, front), encoding="utf-8")
        seen = opened(browser, path, width=390)
        traces = seen.page.locator("#plot-front .scatterlayer .trace")
        drawn = [traces.nth(i).locator(".point").count() for i in range(traces.count())]
        assert sum(drawn[1:]) == len(found)
        assert drawn[0] == 1  # the ring around the certified one
        assert drawn[-1] == len(front)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.messages == []

    def test_evil_and_endless_names_do_nothing(self, browser: Browser, tmp_path: Path) -> None:
        points = (QuantizationPoint(EVIL, 100), QuantizationPoint("layer" * 60, 50))
        found = samples.trials(40, points=points)
        best = samples.front(found)
        document = samples.best_document(best[0].result, points=points)
        setup = Setup(
            baseline=samples.BASELINE, points=points, histograms=samples.histograms(points)
        )
        job = samples.job(JobState.SUCCEEDED, found=found, result=document, setup=setup)
        path = tmp_path / "page.html"
        path.write_text(render(job, found, best), encoding="utf-8")
        seen = opened(browser, path, width=390)
        # forced: Plotly listens above its bars
        seen.page.locator("#plot-bits .bars .point").first.hover(force=True)
        seen.page.locator("#plot-bits .hovertext").wait_for()
        label = seen.page.locator("#plot-bits .ytick").first.text_content()
        assert label == f"{EVIL[:10]}…{EVIL[-10:]}"
        assert seen.page.locator("img").count() == 0
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.messages == []
        assert seen.requests == [path.as_uri()]
