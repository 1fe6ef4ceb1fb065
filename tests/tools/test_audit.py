"""The audit tells what was found from what nobody could tell."""

from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from pip_audit._format import JsonFormat
from pip_audit._service.interface import Dependency
from pip_audit._service.interface import ResolvedDependency
from pip_audit._service.interface import SkippedDependency
from pip_audit._service.interface import VulnerabilityID
from pip_audit._service.interface import VulnerabilityResult

from tools.audit import main
from tools.audit import read
from tools.audit import told

CLEAN = {"name": "sound", "version": "1.0", "vulns": []}
HOLED = {
    "name": "holed",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"]},
        {"id": "PYSEC-2026-2", "aliases": [], "fix_versions": []},
    ],
}
UNKNOWN = {"name": "private", "skip_reason": "Dependency not found"}


def audited(*items: dict[str, Any], **exceptions: str) -> tuple[str, int]:
    named = {name.replace("_", "-"): reason for name, reason in exceptions.items()}
    return told(read({"dependencies": list(items)}, named))


def test_what_is_vulnerable_fails_and_is_told_with_its_remedy() -> None:
    text, status = audited(CLEAN, HOLED)
    assert status == 1
    assert "vulnerable: holed 2.0: PYSEC-2026-1; fixed in 2.1" in text
    assert "PYSEC-2026-2; not fixed in any version yet" in text


def test_what_is_clean_passes() -> None:
    assert audited(CLEAN) == ("1 versions looked up, 0 vulnerable", 0)


def test_what_nobody_could_tell_passes_and_is_told_loudly() -> None:
    text, status = audited(CLEAN, UNKNOWN)
    assert status == 0
    assert "WARNING: NOT AUDITED: the index told nothing of 1 of 2 versions (private" in text


def test_what_was_found_fails_though_others_are_unknown() -> None:
    text, status = audited(HOLED, UNKNOWN)
    assert status == 1
    assert "NOT AUDITED" in text


@pytest.mark.parametrize("name", ["PYSEC_2026_1", "CVE_2026_1"])
def test_an_exception_excuses_by_either_name(name: str) -> None:
    text, status = audited(HOLED, PYSEC_2026_2="why", **{name: "why not"})
    assert status == 0
    assert "vulnerable:" not in text


def test_an_idle_exception_fails_only_if_everything_was_looked_up() -> None:
    assert audited(CLEAN, CVE_2026_9="gone") == (
        "exception CVE-2026-9 is idle; remove it\n1 versions looked up, 0 vulnerable",
        1,
    )
    assert audited(CLEAN, UNKNOWN, CVE_2026_9="gone")[1] == 0


class TestMain:
    """From what pip-audit itself writes to the exit status that `make check` ends with."""

    def run(self, findings: dict[Dependency, list[VulnerabilityResult]], stderr: str = "") -> int:
        document = JsonFormat(output_desc=False, output_aliases=True).format(findings, [])
        return main(Path("constraints.txt"), lambda _: (document, stderr))

    def test_a_vulnerable_pin_ends_with_1(self, capsys: pytest.CaptureFixture[str]) -> None:
        hole = VulnerabilityResult(
            id=VulnerabilityID("PYSEC-2026-3"),
            description="it runs what it reads",
            fix_versions=[Version("2.1")],
            aliases={VulnerabilityID("CVE-2026-3")},
        )
        holed = ResolvedDependency(name="holed", version=Version("2.0"))
        skipped = SkippedDependency(name="private", skip_reason="not found")
        assert self.run({holed: [hole], skipped: []}) == 1
        written = capsys.readouterr().out
        assert "vulnerable: holed 2.0: PYSEC-2026-3; fixed in 2.1" in written
        assert "WARNING: NOT AUDITED" in written

    def test_where_nobody_can_tell_it_says_so_and_ends_with_0(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run({SkippedDependency(name="private", skip_reason="not found"): []}) == 0
        assert "WARNING: NOT AUDITED" in capsys.readouterr().out
        assert main(Path("constraints.txt"), lambda _: ("", "trace\nno route to host\n")) == 0
        assert "WARNING: NOT AUDITED: the index cannot be asked: no route to host" in (
            capsys.readouterr().out
        )
