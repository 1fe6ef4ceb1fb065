"""The dashboard and the docs as a person sees them, in a real browser without a network."""

import random
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.api import story
from service.api.app import create_app
from service.dashboard.study_ids import study_id
from service.store.values import Lease
from tests.service import browsing
from tests.service.api import deployment
from tests.service.api.doors import LOCKED
from tests.service.api.doors import token
from tests.service.browsing import Visit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its generated code, not ours
    from playwright.sync_api import Page
    from playwright.sync_api import expect

pytestmark = browsing.MARKS


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: what the browser is sent is tested on both elsewhere."""
    return sqlite_url


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    """Return the address of the served application."""
    deployment.announce(engine)
    with deployment.served(create_app(engine)) as address:
        yield address


@pytest.fixture
def job(engine: Engine) -> Lease:
    """Return a running job with trials of every kind, the cheapest of them infeasible."""
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    draw = random.Random(7)
    for number in range(len(deployment.MIXED), 60):
        bits = [draw.randint(1, 8) for _ in deployment.POINTS]
        correct = min(899, round(872 + 3.2 * sum(bits) / 3 + draw.uniform(-4, 4)))
        stopped = correct < 875
        deployment.record(
            engine,
            lease,
            deployment.trial(
                number,
                correct=200 if stopped else correct,
                bits=bits,
                images=256 if stopped else 1000,
            ),
        )
    return lease


def shown_points(page: Page) -> dict[str, list[list[float]]]:
    """Return what the Pareto plot draws: the hover label of each set of points -> [x, y]s."""
    points: dict[str, list[list[float]]] = page.evaluate(
        """() => Object.fromEntries(document.getElementById("graph-pareto-front").data.map(
            trace => [trace.hovertemplate.match(/<extra>(.*)<\\/extra>/)[1],
                      trace.x.map((x, i) => [x, trace.y[i]])]))"""
    )
    return points


class TestDashboard:
    def test_a_running_job_is_listed_and_only_feasible_trials_are_its_best(
        self, visit: Visit, address: str, *, job: Lease, shots: Path
    ) -> None:
        page = visit.page
        name = f"tiny on digits, tolerance 0.02 ({job.job_id[-8:]})"
        page.goto(address)
        page.wait_for_url("**/dashboard")
        link = page.get_by_text(name).first
        expect(link).to_be_visible()
        page.screenshot(path=shots / f"list-{visit.width}.png")

        page.goto(f"{address}/dashboard/studies/{study_id(job.job_id)}")
        plot = page.locator("#graph-pareto-front .scatterlayer .trace .points path.point")
        expect(plot.first).to_be_visible(timeout=20_000)
        page.wait_for_timeout(1_000)
        page.screenshot(path=shots / f"study-{visit.width}.png", full_page=True)

        front = page.request.get(f"{address}/v1/jobs/{job.job_id}/front").json()["front"]
        expected = sorted([t["memory_bytes"] / 1024, t["accuracy"]] for t in front)
        drawn = shown_points(page)
        assert sorted(drawn["Best Trial"]) == [pytest.approx(point, abs=0.01) for point in expected]
        assert drawn["Infeasible Trial"], "infeasible trials are drawn, in grey"
        assert all(point == [None, None] for point in drawn["Unselected Trial"])
        floor = 0.88 - 1e-9
        assert all(accuracy >= floor for _, accuracy in drawn["Best Trial"])
        assert all(accuracy < floor for _, accuracy in drawn["Infeasible Trial"])
        card = page.get_by_text("Best Trials", exact=True).first
        expect(card).to_be_visible()
        numbers = {int(n) for n in re.findall(r"Trial (\d+)\b", page.inner_text("main"))}
        assert {t["number"] for t in front} <= numbers
        assert not {2, 3} & numbers, "the cheapest trials missed the floor"
        assert visit.errors == []
        assert visit.elsewhere(address) == []

    def test_the_trial_list_marks_the_best(
        self, visit: Visit, address: str, *, job: Lease, shots: Path
    ) -> None:
        page = visit.page
        page.goto(f"{address}/dashboard/studies/{study_id(job.job_id)}/trials")
        expect(page.get_by_text("Trial 0", exact=False).first).to_be_visible()
        page.wait_for_timeout(500)
        page.screenshot(path=shots / f"trials-{visit.width}.png")
        assert visit.errors == []

    def test_a_write_is_refused_with_a_sentence(
        self, visit: Visit, address: str, *, job: Lease
    ) -> None:
        page = visit.page
        page.goto(f"{address}/dashboard")
        page.get_by_label("delete study").first.click()
        page.get_by_role("button", name="Yes").click()
        expect(page.get_by_text("Failed to delete study")).to_be_visible()
        page.reload()
        expect(page.get_by_text(job.job_id[-8:]).first).to_be_visible()


class TestLogin:
    def test_a_token_leads_to_where_the_browser_wanted_to_go_and_out_again(
        self, visit: Visit, engine: Engine, *, job: Lease, shots: Path
    ) -> None:
        page = visit.page
        there = f"/dashboard/studies/{study_id(job.job_id)}"
        with deployment.served(create_app(engine, LOCKED)) as address:
            page.goto(f"{address}{there}")
            page.wait_for_url("**/login?next=*")
            page.screenshot(path=shots / f"login-{visit.width}.png")
            page.get_by_label("Token").fill("guess")
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
            # the browser itself tells of the 401
            while not visit.errors:
                page.wait_for_timeout(50)
            visit.errors.clear()
            page.get_by_label("Token").fill(token(engine, "default"))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"**{there}")
            expect(page.get_by_text(job.job_id[-8:]).first).to_be_visible(timeout=20_000)
            page.goto(f"{address}/login")
            expect(page.get_by_text("You see the jobs of default")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_label("Token")).to_be_visible()
            assert page.request.get(f"{address}/v1/jobs").status == 401
            assert visit.errors == []
            assert visit.elsewhere(address) == []


def by_section() -> list[tuple[str, str]]:
    """Return (section, summary) of every operation, section by section."""
    sections = [*story.TAGS]
    return sorted(story.OPERATIONS.values(), key=lambda told: sections.index(told[0]))


class TestDocs:
    def test_the_routes_are_listed_without_a_network(
        self, visit: Visit, address: str, shots: Path
    ) -> None:
        page = visit.page
        page.goto(f"{address}/docs")
        expect(page.get_by_text("/v1/jobs/{job_id}/best").first).to_be_visible()
        sections = page.locator("h3.opblock-tag").evaluate_all("all => all.map(h => h.dataset.tag)")
        assert sections == [*story.TAGS]
        summaries = page.locator(".opblock-summary-description").all_inner_texts()
        assert summaries == [told for _, told in by_section()]
        page.screenshot(path=shots / f"docs-{visit.width}.png", full_page=True)
        assert visit.errors == []
        assert visit.elsewhere(address) == []


class TestReport:
    def test_it_renders_inside_its_sandbox(
        self, visit: Visit, address: str, *, job: Lease, shots: Path
    ) -> None:
        page = visit.page
        page.goto(f"{address}/v1/jobs/{job.job_id}/report")
        expect(page.get_by_text("tiny").first).to_be_visible()
        page.wait_for_timeout(500)
        page.screenshot(path=shots / f"report-{visit.width}.png", full_page=True)
        assert visit.errors == []
        assert visit.elsewhere(address) == []
