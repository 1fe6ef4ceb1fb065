"""The lock file pins what pip resolved, and only that."""

from tests.rules.source import ROOT
from tools.lock import HEADER
from tools.lock import pins


def item(name: str, version: str) -> dict[str, dict[str, str]]:
    return {"metadata": {"name": name, "version": version}}


class TestPins:
    def test_each_is_pinned_by_name_and_version_in_order(self) -> None:
        assert pins([item("Mako", "1.3"), item("anyio", "4")]) == ["anyio==4", "mako==1.3"]

    def test_the_project_itself_is_left_out(self) -> None:
        assert pins([item("bitfloor", "0.1.0")]) == []


class TestTheLockFile:
    def test_it_is_what_the_tool_writes(self) -> None:
        text = (ROOT / "constraints.txt").read_text()
        assert text.startswith(HEADER)
        lines = text.removeprefix(HEADER).splitlines()
        assert lines == pins(item(*line.split("==")) for line in lines)
