"""The whole benchmark at a size of seconds, of each database one kind of request."""

import json

import pytest

from benchmarks.service_load.__main__ import main

SIZES = {"--jobs": 1000, "--trials": 3, "--long-trials": 20, "--requests": 10, "--memory": 20}
SMALL = [word for name, size in SIZES.items() for word in (name, str(size))]


@pytest.mark.slow
@pytest.mark.parametrize("database, only", [("sqlite", "best"), ("postgresql", "POST")])
def test_every_figure_is_told(database: str, only: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--databases", database, "--only", only, "--seconds", "0.2", *SMALL])
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert {line["database"] for line in lines} == {database}
    for tokens in (False, True):
        told = {line["figure"] for line in lines if line.get("tokens") is tokens}
        assert told
        assert all(only in figure for figure in told)
    assert [line["resident_mib"] for line in lines if "resident_mib" in line]
    assert all(line["requests"] > 0 for line in lines)
