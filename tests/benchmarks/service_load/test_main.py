"""The whole benchmark at a size of seconds: every figure is told, over both databases."""

import json

import pytest

from benchmarks.service_load import databases
from benchmarks.service_load.__main__ import main

SIZES = {"--jobs": 1000, "--trials": 3, "--long-trials": 20, "--requests": 10, "--memory": 50}
SMALL = [word for name, size in SIZES.items() for word in (name, str(size))]


@pytest.mark.slow
@pytest.mark.parametrize("database", databases.KINDS)
def test_every_figure_is_told(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--databases", database, "--seconds", "0.2", *SMALL])
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert {line["database"] for line in lines} == {database}
    for tokens in (False, True):
        told = {line["figure"] for line in lines if line.get("tokens") is tokens}
        assert {"GET best", "GET best, long job", "GET jobs, deep page", "POST job"} <= told
    assert [line["resident_mib"] for line in lines if "resident_mib" in line]
    assert all(line["requests"] > 0 for line in lines)
