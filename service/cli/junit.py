"""JUnit XML, the form in which pipelines read what held and what did not."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from typing import Literal
from xml.etree.ElementTree import Element
from xml.etree.ElementTree import SubElement
from xml.etree.ElementTree import indent
from xml.etree.ElementTree import tostring

from service.cli.output import plain

#: "failure": it does not hold; "error": that cannot be told; "skipped": nor was it looked at
Fault = Literal["failure", "error", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that holds or does not."""

    name: str
    fault: Fault | None = None
    #: the fault in a sentence
    why: str = ""
    #: the evidence, line by line
    details: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What is reported together: all that was asked of one job or of one document."""

    name: str
    cases: Sequence[Case]
    properties: Mapping[str, object] = field(default_factory=dict)
    #: that it took
    seconds: float = 0.0
    #: when it began
    at: datetime


def render(suite: Suite) -> bytes:
    """Return the document; whatever its texts are, it is well-formed.

    Each text goes on one line and without control characters: XML 1.0 can hold few of those, and
    what reads these files shows none.
    """
    faults = [case.fault for case in suite.cases]
    counts = {
        "tests": str(len(faults)),
        "failures": str(faults.count("failure")),
        "errors": str(faults.count("error")),
        "time": f"{suite.seconds:.3f}",
    }
    name = plain(suite.name)
    root = Element("testsuites", {"name": "bitfloor", **counts})
    at = suite.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    more = {"skipped": str(faults.count("skipped")), "timestamp": at}
    element = SubElement(root, "testsuite", {"name": name, **counts, **more})
    properties = SubElement(element, "properties")
    for key, value in suite.properties.items():
        SubElement(properties, "property", {"name": plain(key), "value": plain(value)})
    for case in suite.cases:
        _add(element, case, suite=name)
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add(element: Element, case: Case, *, suite: str) -> None:
    attributes = {"name": plain(case.name), "classname": suite, "time": "0.000"}
    added = SubElement(element, "testcase", attributes)
    if case.fault:
        told = SubElement(added, case.fault, {"message": plain(case.why)})
        if case.fault != "skipped":
            told.set("type", case.fault)
            told.text = plain(case.why)
    if case.details:
        lines = "\n".join(plain(line) for line in case.details)
        SubElement(added, "system-out").text = lines
