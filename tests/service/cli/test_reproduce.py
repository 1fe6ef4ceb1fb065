"""What `reproduce` is asked for is checked before anything is loaded, and told in one line."""

from pathlib import Path

import pytest

from service.cli.errors import ExitStatus
from service.cli.main import main


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((), "model: field required; add it"),
        (("--model", "m"), "dataset: field required; add it"),
        (("--model", "m", "--data", "d", "--set", "tolerance=2"), "tolerance: "),
        (("--model", "m", "--data", "d", "--tolerance", "-1"), "tolerance: "),
        (("--model", "m", "--data", "d", "--set", "target=weights"), "target: the experiments"),
        (("--model", "m", "--data", "d", "--set", "tolerance"), "--set 'tolerance': write it"),
        (("spec.yaml",), "spec.yaml: No such file"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_written(
    arguments: tuple[str, ...],
    told: str,
    *,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == ExitStatus.USAGE
    error = capsys.readouterr().err
    assert error.startswith(f"error: {told}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
