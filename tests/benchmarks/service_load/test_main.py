"""The whole benchmark at a size of seconds, of each database one kind of request."""

import json
from pathlib import Path

import pytest

from benchmarks.service_load.__main__ import main
from service.cli.database import opened
from service.store import jobs

SIZES = {"--jobs": 1000, "--trials": 3, "--long-trials": 20, "--requests": 10}
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
        loads = [line["load"] for line in lines if line["tokens"] is tokens]
        assert "closed loop" in loads
        assert [load for load in loads if load.endswith("/s")]
    assert all(line["requests"] > 0 for line in lines)


@pytest.mark.slow
def test_memory_is_followed_over_requests_of_every_kind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--databases", "sqlite", "--memory", "40", *SMALL])
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["requests"] == 40
    assert len(line["resident_mib"]) == 11
    assert min(line["resident_mib"]) > 10


@pytest.mark.slow
def test_a_database_that_was_kept_is_used_again_without_what_was_submitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--databases", "sqlite", "--only", "POST", "--seconds", "0.2", *SMALL]
    main([*asked, "--keep", str(tmp_path)])
    assert "filled sqlite" in capsys.readouterr().err
    main([*asked, "--keep", str(tmp_path)])
    assert "filled" not in capsys.readouterr().err
    with opened(f"sqlite:///{tmp_path / 'bitfloor.db'}") as engine:
        assert sum(jobs.counts_by_state(engine).values()) == SIZES["--jobs"] + 1
