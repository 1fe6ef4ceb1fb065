"""Requests in YAML."""

from pathlib import Path

import pytest

from service.cli import spec_file
from service.cli.errors import OverrideUnusable
from service.cli.errors import SpecUnusable


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Return a file with a valid request."""
    path = tmp_path / "spec.yaml"
    path.write_text("model: tiny\ndataset: digits\ntolerance: 0.02\nbit_widths: [2, 4]\n")
    return path


class TestRead:
    def test_a_spec_is_read_as_written(self, spec: Path) -> None:
        assert spec_file.read(str(spec), ()) == {
            "model": "tiny",
            "dataset": "digits",
            "tolerance": 0.02,
            "bit_widths": [2, 4],
        }

    def test_overrides_win_and_are_read_as_yaml(self, spec: Path) -> None:
        read = spec_file.read(str(spec), ["tolerance=0.01", "bit_widths=[8]", "labels={a: b}"])
        assert (read["tolerance"], read["bit_widths"]) == (0.01, [8])
        assert read["labels"] == {"a": "b"}

    @pytest.mark.parametrize("override", ["tolerance", "=3", "labels={a: b"])
    def test_an_override_without_name_or_value_is_refused(self, spec: Path, override: str) -> None:
        with pytest.raises(OverrideUnusable, match="NAME=VALUE"):
            spec_file.read(str(spec), [override])

    @pytest.mark.parametrize(
        "text, told",
        [
            ("- model\n", "a list"),
            ("", "a NoneType"),
            ("1: 2\n", "no mapping of names"),
            ("model: [tiny\n", "line 2"),
            ("model: tiny\n\tdataset: x\n", "line 2"),
            ("model: \x01", "characters that YAML forbids"),
            ("labels: {since: 2026-01-01}\n", r"labels\.since is a date; put it in quotes"),
            ("tolerance: .nan\n", "tolerance is nan"),
            ("tolerance: .inf\n", "tolerance is inf"),
        ],
    )
    def test_what_cannot_be_sent_is_refused_with_its_place(
        self, tmp_path: Path, text: str, told: str
    ) -> None:
        path = tmp_path / "spec.yaml"
        path.write_text(text)
        with pytest.raises(SpecUnusable, match=told):
            spec_file.read(str(path), ())

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SpecUnusable, match=r"none\.yaml: No such file"):
            spec_file.read(str(tmp_path / "none.yaml"), ())

    def test_a_file_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "spec.yaml"
        path.write_bytes(b"model: \xff\xfe")
        with pytest.raises(SpecUnusable, match="UTF-8"):
            spec_file.read(str(path), ())
