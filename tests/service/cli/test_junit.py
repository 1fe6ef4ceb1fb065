"""JUnit XML as the readers of pipelines take it, whatever the texts in it."""

from datetime import UTC
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure
from junitparser import JUnitXml
from junitparser import Skipped
from junitparser import TestSuite as Parsed

from service.cli.junit import Case
from service.cli.junit import Suite
from service.cli.junit import render

NOON = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
CASES = (
    Case(name="certificate", details=("certified: p = 0.02", "second line")),
    Case(name="saved >= 0.9", fault="failure", why="saved is 0.87"),
    Case(name="drop <= 0.01", fault="skipped", why="no allocation"),
    Case(name="other", fault="error", why="the job failed"),
)
#: what the schema that Jenkins and others validate against (junit-10.xsd) lets an element have
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "skipped", "time", "timestamp"),
        *("group", "hostname", "id", "package", "file", "log", "url", "version"),
    },
    "properties": set[str](),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time", "status", "class", "file", "line", "assertions"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set[str](),
}


def suite(*cases: Case, name: str = "tiny on digits", **properties: object) -> Suite:
    return Suite(name=name, cases=cases, properties=properties, seconds=4.25, at=NOON)


def parsed(written: bytes) -> Parsed:
    document = JUnitXml.fromstring(written)
    assert isinstance(document, JUnitXml)
    (only,) = document
    return only


def test_a_reader_of_pipelines_finds_every_case_and_count() -> None:
    found = parsed(render(suite(*CASES, saved=0.87)))
    assert (found.name, found.time, found.timestamp) == (
        "tiny on digits",
        4.25,
        "2026-03-01T12:00:01",
    )
    assert (found.tests, found.failures, found.errors, found.skipped) == (4, 1, 1, 1)
    properties = list(found.properties())  # type: ignore[no-untyped-call]  # it has no types
    assert [(one.name, one.value) for one in properties] == [("saved", "0.87")]
    certificate, saved, drop, _ = found
    assert certificate.is_passed
    assert certificate.system_out == "certified: p = 0.02\nsecond line"
    assert isinstance(saved.result[0], Failure)
    assert (saved.result[0].message, saved.result[0].text) == ("saved is 0.87", "saved is 0.87")
    assert isinstance(drop.result[0], Skipped)


def test_nothing_is_in_it_that_the_common_schema_does_not_know() -> None:
    for element in ET.fromstring(render(suite(*CASES, saved=0.87))).iter():  # noqa: S314 - our own text
        assert {*element.attrib} <= ALLOWED[element.tag]


@given(text=st.text())
def test_any_text_leaves_it_well_formed(text: str) -> None:
    case = Case(name=text, fault="failure", why=text, details=(text, text))
    found = parsed(render(suite(case, **{"name": text, text: text})))
    assert (found.tests, found.failures) == (1, 1)


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "\ud800", "\ufffe", "]]>", "<!--", "&#0;"])
def test_what_xml_cannot_hold_or_would_read_as_its_own_is_harmless(text: str) -> None:
    (case,) = parsed(render(suite(Case(name=f"a{text}b", details=(text,)))))
    assert (case.name[0], case.name[-1]) == ("a", "b")
    assert "\x1b" not in case.name
