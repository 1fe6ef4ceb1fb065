"""The wheel holds all that the packages hold, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.rules.isolation import imported
from tests.rules.source import PACKAGES
from tests.rules.source import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


def test_every_file_of_the_packages_is_in_it_and_no_other(wheel: Path) -> None:
    there = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there == ours


def test_it_brings_the_command_the_licence_and_the_types(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    entry_points = next(name for name in names if name.endswith("entry_points.txt"))
    assert "bitfloor = service.cli.main:main" in ZipFile(wheel).read(entry_points).decode()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {"bitfloor/py.typed", "search/py.typed", "service/py.typed", "workers/py.typed"} <= {
        *names
    }


def test_its_service_starts_without_torch_and_without_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    ZipFile(wheel).extractall(tmp_path)
    modules = imported(["service.*"], extras=["service"], folder=tmp_path, skip=["service.otel"])
    assert "service.api.app" in modules


def test_its_client_is_imported_with_a_clients_packages(wheel: Path, tmp_path: Path) -> None:
    ZipFile(wheel).extractall(tmp_path)
    assert imported(["bitfloor"], extras=(), folder=tmp_path) == {"bitfloor"}
