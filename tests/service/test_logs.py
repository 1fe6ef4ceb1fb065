"""Every form of the log keeps to a line an event, whatever a value holds."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import structlog
from pydantic import ValidationError
from sqlalchemy import Engine

from service import logs
from service.settings import LogSettings
from service.signatures import tenant_secret
from service.store import tokens
from service.store.access import Scope

FORMS = ("console", "logfmt", "json")
FORGED = "2026-01-01T00:00:00Z level=info event=forged"

PROGRAM = f"""
import logging, sys, warnings
import structlog
from service import logs

logs.to_stderr(sys.argv[1], level="info")
log = structlog.get_logger()
log.debug("not told")
for sign in ("\\n", "\\r", "\\r\\n", "\\x85", "\\u2028", "\\x1b[1A", "\\x0b"):
    log.info("asked", path=f"/v1/jobs{{sign}}{FORGED}", others=[f"{{sign}}{FORGED}"])
    log.info(f"asked{{sign}}{FORGED}")
logging.getLogger("of.a.library").info("not told")
logging.getLogger("of.a.library").warning("careful,%s", "\\n{FORGED}")
warnings.warn("odd")
try:
    secret = "swordfish"
    raise ValueError("it broke\\n{FORGED}")
except ValueError:
    log.exception("failed")
"""


def written(form: str) -> list[str]:
    """Return what the program writes to stderr; only a line feed ends a line."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, form], capture_output=True, check=True, timeout=60
    )
    assert not done.stdout
    return done.stderr.decode().removesuffix("\n").split("\n")


@pytest.fixture(scope="module", params=FORMS)
def lines(request: pytest.FixtureRequest) -> list[str]:
    """Return the lines of the log, in one of the forms."""
    return written(request.param)


class TestToStderr:
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_log_on_a_full_disk_ends_nothing(self) -> None:
        with Path("/dev/full").open("w") as full:
            program = f"{PROGRAM}\nprint('went on')\nsys.stdout.flush()\nimport os\nos._exit(0)"
            done = subprocess.run(
                [sys.executable, "-c", program, "json"],
                stdout=subprocess.PIPE,
                stderr=full,
                check=True,
                timeout=60,
            )
        assert done.stdout == b"went on\n"

    def test_no_value_begins_a_line(self, lines: list[str]) -> None:
        assert len(lines) >= 17
        assert not [line for line in lines if line.startswith(FORGED[:10] + "T00")]
        assert sum("asked" in line for line in lines) == 14

    def test_no_control_character_reaches_the_terminal(self, lines: list[str]) -> None:
        assert not [line for line in lines if not line.isprintable()]

    def test_what_libraries_say_comes_the_same_way_from_warnings_on(self, lines: list[str]) -> None:
        assert sum("of.a.library" in line for line in lines) == 1
        assert sum("UserWarning: odd" in line for line in lines) == 1
        assert not [line for line in lines if "not told" in line]

    def test_a_traceback_is_whole_and_shows_no_local_values(self, lines: list[str]) -> None:
        text = "\n".join(lines)
        assert "Traceback" in text
        assert "ValueError: it broke" in text
        assert text.count("swordfish") <= 1  # the line of the program, never the variable
        assert "secret = 'swordfish'" not in text

    def test_json_is_an_object_a_line(self) -> None:
        events = [json.loads(line) for line in written("json")]
        assert len(events) == 17
        assert {"event", "level", "timestamp"} <= set.intersection(*map(set, events))
        assert events[0]["path"] == f"/v1/jobs\n{FORGED}"


class TestSecrets:
    """Whoever puts a token where none belongs does not find it in the log."""

    @pytest.mark.parametrize("form", FORMS)
    def test_none_is_written_wherever_it_stands(self, form: str, engine: Engine) -> None:
        made, text = tokens.create(
            engine, tenant="vision", name="leaky", scopes=frozenset({Scope.READ})
        )
        secret = tenant_secret("s" * 32, "vision")
        stream = io.StringIO()
        log = structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=logs.processors(form, terminal=False)
        )
        said = "no " + text
        log.warning(said, path=f"/v1/jobs/{text}", others=[{"of": f"{text}/{secret}"}])
        try:
            int(f"Bearer {text}")
        except ValueError:
            log.exception("failed")
        log.warning("cut", path=text[:-20])
        written = stream.getvalue()
        assert text.split("_", 2)[2] not in written
        assert text[:-20] not in written
        assert secret[10:] not in written
        # which one it was can be told, and revoked
        assert written.count(f"bitfloor_{made.id}_...") >= 5


class TestLogSettings:
    def test_every_format_is_written(self) -> None:
        annotation = LogSettings.model_fields["log_format"].annotation
        named = [name for part in get_args(annotation) for name in get_args(part)]
        assert sorted(named) == sorted(FORMS)

    def test_the_environment_is_read_in_any_case(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BITFLOOR_LOG_FORMAT", "JSON")
        monkeypatch.setenv("BITFLOOR_LOG_LEVEL", "Warning")
        settings = LogSettings()
        assert (settings.log_format, settings.log_level) == ("json", "warning")

    def test_left_empty_it_is_as_if_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BITFLOOR_LOG_FORMAT", "")
        assert LogSettings().log_format is None

    def test_another_format_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BITFLOOR_LOG_FORMAT", "xml")
        with pytest.raises(ValidationError, match="log_format"):
            LogSettings()
