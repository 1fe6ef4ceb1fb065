"""`bitfloor wait` and `best --junit`: how a job ended, as statuses and as JUnit XML."""

from pathlib import Path

import pytest
from junitparser import JUnitXml
from junitparser import TestSuite as Parsed
from sqlalchemy import Engine

from service.store import leases
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.cli.conftest import Bitfloor
from tests.service.cli.test_watch import ENDINGS
from tests.service.cli.test_watch import End

MET, UNMET = "saved>=0.80", "saved>=0.9"


@pytest.fixture
def running(store: Engine) -> Lease:
    """Return a running job's lease, with a few trials recorded."""
    deployment.enqueue(store, labels={"team": "vi\u200bsion <&>"})
    lease = deployment.start(store)
    deployment.record(store, lease, *deployment.MIXED)
    return lease


@pytest.fixture
def certified(store: Engine, running: Lease) -> str:
    """Return the id of a job that has succeeded."""
    leases.succeed(store, running, BEST_DOCUMENT)
    return running.job_id


def unproved(store: Engine, lease: Lease, **changes: object) -> str:
    """Let the job succeed with a document that does not say that it is certified."""
    checked = {k: v for k, v in BEST_DOCUMENT["certification"].items() if k != "judgement"}
    leases.succeed(store, lease, BEST_DOCUMENT | {"certification": checked | changes})
    return lease.job_id


def suite(path: Path) -> Parsed:
    (found,) = JUnitXml.fromfile(str(path))
    assert isinstance(found, Parsed)
    return found


class TestWait:
    @pytest.mark.parametrize("end, status, told", ENDINGS)
    def test_it_ends_as_the_job_does_whatever_is_asked_of_the_best(
        self,
        bitfloor: Bitfloor,
        store: Engine,
        running: Lease,
        *,
        end: End,
        status: int,
        told: str,
    ) -> None:
        end(store, running)
        ended = bitfloor("wait", running.job_id, "--fail-if-below-floor", "--fail-unless", MET)
        assert (ended.status, ended.out) == (status, "")
        assert told in ended.err

    def test_one_unmet_condition_is_status_3_and_named(
        self, bitfloor: Bitfloor, certified: str
    ) -> None:
        ended = bitfloor("wait", certified, "--fail-unless", MET, "--fail-unless", UNMET)
        assert ended.status == 3
        assert "not met: saved >= 0.9 (saved is 0.87)\n" in ended.err

    def test_after_its_time_the_status_is_8_and_the_job_goes_on(
        self, bitfloor: Bitfloor, running: Lease, tmp_path: Path
    ) -> None:
        junit = tmp_path / "junit.xml"
        ended = bitfloor(
            "wait", running.job_id, "--timeout", "0.2", "--fail-unless", MET, "--junit", str(junit)
        )
        assert ended.status == 8
        assert ended.err.splitlines()[-1].startswith(f"error: job {running.job_id} has not ended")
        found = suite(junit)
        assert (found.tests, found.errors, found.skipped) == (2, 1, 1)
        assert "within 0.2 s" in next(iter(found)).result[0].message

    def test_a_best_that_is_not_certified_is_status_9_if_that_is_asked_for(
        self, bitfloor: Bitfloor, store: Engine, running: Lease
    ) -> None:
        job = unproved(store, running, judgement="undecided")
        assert bitfloor("wait", job).status == 0
        ended = bitfloor("wait", job, "--fail-if-below-floor", "--fail-unless", UNMET)
        assert ended.status == 9
        assert "below the floor: undecided: accuracy 89.00 % on 2000 images" in ended.err
        assert "not met: saved >= 0.9" in ended.err

    def test_nor_is_one_that_does_not_say(
        self, bitfloor: Bitfloor, store: Engine, running: Lease
    ) -> None:
        ended = bitfloor("wait", unproved(store, running), "--fail-if-below-floor")
        assert (ended.status, "not known to be certified" in ended.err) == (9, True)

    @pytest.mark.parametrize(
        "wrong", [("--timeout", "-1"), ("--timeout", "nan"), ("--fail-unless", "size<3")]
    )
    def test_a_wrong_command_line_is_status_2(
        self, bitfloor: Bitfloor, certified: str, wrong: tuple[str, str]
    ) -> None:
        assert bitfloor("wait", certified, *wrong).status == 2


class TestJunit:
    @pytest.mark.parametrize("command", ["wait", "best"])
    def test_it_has_the_certificate_every_condition_and_the_figures(
        self, bitfloor: Bitfloor, certified: str, tmp_path: Path, command: str
    ) -> None:
        junit = tmp_path / "junit.xml"
        conditions = ("--fail-unless", MET, "--fail-unless", UNMET)
        assert bitfloor(command, certified, *conditions, "--junit", str(junit)).status == 3
        found = suite(junit)
        assert found.name == "bitfloor tiny on digits"
        assert [(case.name, case.is_passed) for case in found] == [
            ("certificate", True),
            ("saved >= 0.8", True),
            ("saved >= 0.9", False),
        ]
        assert "certified: at 95 % confidence" in str(next(iter(found)).system_out)
        listed = found.properties()  # type: ignore[no-untyped-call]  # it has no types
        properties = {one.name: one.value for one in listed}
        assert properties["job"] == certified
        assert properties["label.team"] == "vi\ufffdsion <&>"
        assert (properties["saved"], properties["certification_images"]) == ("0.87", "2000")

    @pytest.mark.parametrize("command", ["wait", "best"])
    @pytest.mark.parametrize("end, status, told", ENDINGS[1:])
    def test_it_is_written_without_an_allocation_too(
        self,
        bitfloor: Bitfloor,
        store: Engine,
        running: Lease,
        tmp_path: Path,
        *,
        command: str,
        end: End,
        status: int,
        told: str,
    ) -> None:
        end(store, running)
        junit = tmp_path / "junit.xml"
        ended = bitfloor(command, running.job_id, "--fail-unless", MET, "--junit", str(junit))
        assert ended.status == status
        certificate, condition = suite(junit)
        assert told in certificate.result[0].message
        infeasible = status == 5
        assert (suite(junit).failures, suite(junit).errors) == (infeasible, not infeasible)
        assert condition.is_skipped

    def test_a_place_that_cannot_be_written_is_one_line(
        self, bitfloor: Bitfloor, certified: str
    ) -> None:
        ended = bitfloor("best", certified, "-f", "json", "--junit", "/nowhere/junit.xml")
        assert ended.status == 1
        assert ended.err.startswith("error: cannot write /nowhere/junit.xml")
