"""The threat model names tests that exist, and every file of tests here."""

import ast
import re

import pytest

from service.settings import Settings
from tests.rules.source import ROOT

TEXT = (ROOT / "docs/security.md").read_text()
NAMED = sorted({*re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)})


def test_it_names_tests() -> None:
    assert len(NAMED) > 12


@pytest.mark.parametrize("file, name", NAMED)
def test_each_of_them_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    found = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert name in found


def test_every_file_of_attacks_is_named() -> None:
    here = {path.name for path in (ROOT / "tests/security").glob("test_*.py")}
    assert here - {path.rpartition("/")[2] for path, _ in NAMED} == {"test_documented.py"}


def test_every_row_of_the_table_names_one() -> None:
    table = TEXT.partition("## What is prevented")[2].partition("## Limits")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 12
    assert [row for row in rows if "`tests/" not in row] == []


def test_the_limits_are_the_settings_and_their_defaults() -> None:
    rows = re.findall(r"^\| `BITFLOOR_(\w+)` \| ([\d,]+)", TEXT, re.MULTILINE)
    told = {name.lower(): float(number) for name, number in rows}
    assert told.pop("max_body_bytes") * 2**20 == Settings().max_body_bytes
    assert told == {name: getattr(Settings(), name) for name in told}
    assert {*told} == {"body_seconds", "head_seconds", "unread_seconds", "max_connections"}


@pytest.mark.parametrize("file", ["README.md", "docs/README.md", "SECURITY.md"])
def test_it_is_linked(file: str) -> None:
    assert "security.md" in (ROOT / file).read_text().replace("SECURITY.md", "")


def test_the_way_to_report_leads_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "SECURITY.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
