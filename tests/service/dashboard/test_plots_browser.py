"""The report's figures among the dashboard's own plots, in a real browser."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from search.allocation import QuantizationPoint
from service.api.app import create_app
from service.dashboard.study_ids import study_id
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.values import Job
from service.store.values import JobError
from service.store.values import Setup
from tests.service import browsing
from tests.service.api import deployment
from tests.service.browsing import Visit
from tests.service.dashboard.test_notes import EVIL as MARKDOWN
from tests.service.report import samples
from tests.service.report.test_page import EVIL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its generated code, not ours
    from playwright.sync_api import Page
    from playwright.sync_api import expect

pytestmark = browsing.MARKS

PLACE = '[id="user-defined-plot:{}"]'
#: each is there, and as wide as its box
FITTED = """[...document.querySelectorAll('[id^="user-defined-plot:"]')].every(place => {
    const drawn = place.querySelector(".main-svg")
    const width = element => element.getBoundingClientRect().width
    return drawn !== null && width(drawn) <= width(place) + 1
})"""
NAMES = ("front", "progress", "images", "bits", "memory", "histograms")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: what the browser is sent is tested on both elsewhere."""
    return sqlite_url


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    """Return the address of the served application."""
    with deployment.served(create_app(engine)) as address:
        yield address


def certified(engine: Engine, points: tuple[QuantizationPoint, ...] = samples.POINTS) -> Job:
    """Store a job that ended certified, after 120 trials."""
    job = deployment.enqueue(engine)
    claimed = leases.claim(engine, lease_seconds=deployment.LEASE)
    assert claimed is not None
    lease, _ = claimed
    setup = Setup(baseline=samples.BASELINE, points=points, histograms=samples.histograms(points))
    leases.begin(engine, lease, setup)
    found = samples.trials(points=points)
    for one in found:
        trials.record(
            engine, lease, one.result, seconds=one.seconds, lease_seconds=deployment.LEASE
        )
    best = samples.front(found)[0].result
    leases.succeed(engine, lease, samples.best_document(best, points=points))
    return jobs.get(engine, job.id)


def opened(visit: Visit, address: str, job: Job) -> Page:
    """Open the job's study and wait for the last of our plots."""
    visit.page.goto(f"{address}/dashboard/studies/{study_id(job.id)}")
    expect(visit.page.locator(f"{PLACE.format('histograms')} .main-svg").first).to_be_visible(
        timeout=30_000
    )
    return visit.page


class TestPlots:
    def test_they_are_drawn_within_their_boxes(
        self, visit: Visit, address: str, *, engine: Engine, shots: Path
    ) -> None:
        page = opened(visit, address, certified(engine))
        browsing.until(page, FITTED)
        page.screenshot(path=shots / f"plots-study-{visit.width}.png", full_page=True)
        for name in NAMES:
            place = page.locator(PLACE.format(name))
            place.scroll_into_view_if_needed()
            place.screenshot(path=shots / f"plots-{name}-{visit.width}.png")
            box, drawn = place.bounding_box(), place.locator(".main-svg").first.bounding_box()
            assert box is not None
            assert drawn is not None
            assert drawn["width"] >= 300
            assert drawn["width"] <= box["width"] + 1
            assert drawn["height"] <= box["height"] + 1
            assert box["x"] + box["width"] <= visit.width
        assert visit.errors == []
        assert visit.elsewhere(address) == []

    def test_names_are_text_however_long_or_evil(
        self, visit: Visit, address: str, *, engine: Engine, shots: Path
    ) -> None:
        layers = [QuantizationPoint(f"blocks.{n}.attention.projection", 64 + n) for n in range(58)]
        points = (QuantizationPoint(EVIL, 100_000), *layers, QuantizationPoint("layer" * 60, 50))
        page = opened(visit, address, certified(engine, points))
        for name in NAMES:
            page.locator(PLACE.format(name)).screenshot(
                path=shots / f"plots-evil-{name}-{visit.width}.png"
            )
        assert page.locator("img[src=x]").count() == 0
        assert visit.errors == []
        assert visit.elsewhere(address) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("visit", ["desktop"], indirect=True)
    def test_a_new_trial_shows_by_itself_and_leaves_what_was_zoomed_into(
        self, visit: Visit, address: str, *, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        deployment.record(engine, lease, *deployment.MIXED)
        page = visit.page
        page.goto(f"{address}/dashboard/studies/{study_id(lease.job_id)}")
        plot = page.locator(PLACE.format("images"))
        expect(plot.locator(".points path.point")).to_have_count(6, timeout=30_000)
        shown = "document.getElementById('user-defined-plot:images')._fullLayout.xaxis.range"
        whole = page.evaluate(shown)
        plot.scroll_into_view_if_needed()
        box = plot.locator(".nsewdrag").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 40, box["y"] + box["height"] - 5, steps=5)
        page.mouse.up()
        browsing.until(page, f"{shown}[0] !== {whole[0]}")
        zoomed = page.evaluate(shown)
        deployment.record(engine, lease, deployment.trial(6, correct=895, bits=(2, 2, 2)))
        data = "document.getElementById('user-defined-plot:images').data"
        browsing.until(page, f"{data}.flatMap(trace => trace.x).includes(6)", seconds=60)
        assert page.evaluate(shown) == zoomed
        assert visit.errors == []


class TestNote:
    def test_it_tells_the_verdict_and_leads_to_the_report(
        self, visit: Visit, address: str, *, engine: Engine, shots: Path
    ) -> None:
        job = certified(engine)
        page = visit.page
        page.goto(f"{address}/dashboard/studies/{study_id(job.id)}/note")
        expect(page.get_by_text("Certified: ")).to_be_visible(timeout=30_000)
        page.screenshot(path=shots / f"note-{visit.width}.png")
        page.get_by_role("link", name="Report").click()
        expect(page.get_by_text("bitfloor report")).to_be_visible()
        assert visit.errors == []

    def test_what_a_worker_wrote_is_text(
        self, visit: Visit, address: str, *, engine: Engine, shots: Path
    ) -> None:
        lease = deployment.running(engine)
        leases.fail(engine, lease, JobError(code="x", message=MARKDOWN))
        page = visit.page
        page.goto(f"{address}/dashboard/studies/{study_id(lease.job_id)}/note")
        # as it was written, all on one line
        expect(page.get_by_text(" ".join(MARKDOWN.split()))).to_be_visible(timeout=30_000)
        page.screenshot(path=shots / f"note-evil-{visit.width}.png")
        assert page.locator('a[href^="javascript"], img').count() == 0
        # an address becomes a link by itself, to where it says it leads
        for link in page.locator('a[href*="example"]').all():
            assert link.get_attribute("href") == link.inner_text()
        assert visit.errors == []
        assert visit.elsewhere(address) == []
