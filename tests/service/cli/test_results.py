"""best, front and report against a real API."""

import json
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy import Engine

from service.store import leases
from service.store.values import JobError
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.api.deployment import INFEASIBLE_DOCUMENT
from tests.service.cli.conftest import Bitfloor


@pytest.fixture
def searching(store: Engine) -> Lease:
    """Return a running job's lease, with a few trials recorded."""
    lease = deployment.running(store)
    deployment.record(store, lease, *deployment.MIXED)
    return lease


@pytest.fixture
def certified(store: Engine, searching: Lease) -> str:
    """Return the id of a job that has succeeded."""
    leases.succeed(store, searching, BEST_DOCUMENT)
    return searching.job_id


class TestBest:
    def test_json_is_the_servers_bytes(
        self, bitfloor: Bitfloor, server: str, certified: str
    ) -> None:
        served = httpx.get(f"{server}/v1/jobs/{certified}/best").content
        assert bitfloor("best", certified, "--format", "json").out.encode() == served

    def test_yaml_holds_the_same(self, bitfloor: Bitfloor, certified: str) -> None:
        assert yaml.safe_load(bitfloor("best", certified, "-f", "yaml").out) == BEST_DOCUMENT

    def test_the_table_has_every_layer_and_the_evidence(
        self, bitfloor: Bitfloor, certified: str
    ) -> None:
        shown = bitfloor("best", certified).out
        for fact in ("features.0", "features.3", "classifier", "87.0 % saved", "89.00 %"):
            assert fact in shown
        assert "certified: at 95 % confidence the drop is at most 1.80 points (p = 0.012)" in shown
        assert "observed 1.00 points, a gap of -0.90 points to the search split" in shown

    def test_smaller_candidates_are_told_with_what_was_said_of_them(
        self, bitfloor: Bitfloor, store: Engine, searching: Lease
    ) -> None:
        others = [
            {"trial": 1, "saved": 0.8, "judgement": "certified", "images_needed": None},
            {"trial": 2, "saved": 0.91, "judgement": "undecided", "images_needed": 3100},
        ]
        checked = BEST_DOCUMENT["certification"] | {"others": others}
        leases.succeed(store, searching, BEST_DOCUMENT | {"certification": checked})
        shown = bitfloor("best", searching.job_id).out
        assert "certified too: trial 1, 80.0 % saved" in shown
        assert "smaller, but undecided: trial 2, 91.0 % saved; about 3,100 images would do" in shown

    def test_one_of_an_earlier_release_is_shown_as_far_as_it_goes(
        self, bitfloor: Bitfloor, store: Engine, searching: Lease
    ) -> None:
        checked = {
            name: value
            for name, value in BEST_DOCUMENT["certification"].items()
            if name not in ("gap", "judgement", "p_value", "others")
        }
        leases.succeed(store, searching, BEST_DOCUMENT | {"certification": checked})
        unmet = bitfloor("best", searching.job_id, "--fail-unless", "p_value<=0.05")
        assert "89.00 %" in unmet.out
        assert unmet.status == 3
        assert "p_value is not in this result" in unmet.err

    def test_met_conditions_are_status_0(self, bitfloor: Bitfloor, certified: str) -> None:
        conditions = ("--fail-unless", "saved>=0.80", "--fail-unless", "drop<=2%")
        assert bitfloor("best", certified, *conditions).status == 0

    def test_one_unmet_condition_is_status_3_and_named(
        self, bitfloor: Bitfloor, certified: str
    ) -> None:
        conditions = ("--fail-unless", "saved>=0.80", "--fail-unless", "average_bits<4")
        ended = bitfloor("best", certified, "-f", "json", *conditions)
        assert ended.status == 3
        assert ended.err == "not met: average_bits < 4 (average_bits is 4.1)\n"
        assert json.loads(ended.out) == BEST_DOCUMENT

    def test_an_unknown_field_is_status_2(self, bitfloor: Bitfloor, certified: str) -> None:
        ended = bitfloor("best", certified, "--fail-unless", "size<3")
        assert (ended.status, ended.out) == (2, "")
        assert "no field 'size'" in ended.err

    def test_a_running_job_is_status_7(self, bitfloor: Bitfloor, searching: Lease) -> None:
        ended = bitfloor("best", searching.job_id)
        assert (ended.status, ended.out) == (7, "")
        assert ended.err.count("\n") == 1

    def test_a_failed_job_is_status_4(
        self, bitfloor: Bitfloor, store: Engine, searching: Lease
    ) -> None:
        leases.fail(store, searching, JobError(code="unsupported-network", message="no"))
        assert bitfloor("best", searching.job_id).status == 4

    def test_an_infeasible_job_is_status_5(
        self, bitfloor: Bitfloor, store: Engine, searching: Lease
    ) -> None:
        leases.end_infeasible(store, searching, INFEASIBLE_DOCUMENT)
        assert bitfloor("best", searching.job_id).status == 5

    def test_a_cancelled_job_is_status_6(
        self, bitfloor: Bitfloor, store: Engine, searching: Lease
    ) -> None:
        leases.cancel(store, searching)
        assert bitfloor("best", searching.job_id).status == 6

    def test_an_unknown_id_is_status_1(self, bitfloor: Bitfloor) -> None:
        assert bitfloor("best", "nothing").status == 1


class TestFront:
    def test_of_a_search_for_the_front_it_tells_the_hypervolume(
        self, bitfloor: Bitfloor, store: Engine
    ) -> None:
        lease = deployment.running(store, goal="front")
        deployment.record(store, lease, *deployment.MIXED)
        shown = bitfloor("front", lease.job_id).out
        assert f"hypervolume {100 * deployment.WIDER_SHARE:.2f} %" in shown
        assert "2 2 2" in shown

    def test_it_comes_fewest_bits_first(self, bitfloor: Bitfloor, searching: Lease) -> None:
        front = json.loads(bitfloor("front", searching.job_id, "-f", "json").out)
        found = [trial["number"] for trial in front["front"]]
        assert sorted(found) == deployment.MIXED_FRONT
        sizes = [trial["memory_bytes"] for trial in front["front"]]
        assert sizes == sorted(sizes)

    def test_the_table_tells_bits_layer_by_layer(
        self, bitfloor: Bitfloor, searching: Lease
    ) -> None:
        shown = bitfloor("front", searching.job_id).out
        assert "4 4 5" in shown
        assert "floor 88.00 %" in shown

    def test_a_queued_job_has_an_empty_one(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = deployment.enqueue(store)
        assert json.loads(bitfloor("front", job.id, "-f", "json").out)["front"] == []
        assert bitfloor("front", job.id).status == 0


class TestReport:
    def test_the_page_is_written(self, bitfloor: Bitfloor, certified: str, tmp_path: Path) -> None:
        ended = bitfloor("report", certified, "-o", str(tmp_path / "report.html"))
        assert (ended.status, ended.out) == (0, "")
        assert "Certified" in (tmp_path / "report.html").read_text(encoding="utf-8")

    def test_a_dash_is_stdout(self, bitfloor: Bitfloor, certified: str) -> None:
        assert bitfloor("report", certified, "-o", "-").out.startswith("<!doctype html>")

    def test_a_folder_that_is_not_there_is_an_error(
        self, bitfloor: Bitfloor, certified: str
    ) -> None:
        ended = bitfloor("report", certified, "-o", "/nowhere/report.html")
        assert ended.status == 1
        assert ended.err.startswith("error: cannot write /nowhere/report.html")
