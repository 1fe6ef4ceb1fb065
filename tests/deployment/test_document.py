"""docs/deployment.md: its manifests and scripts name what exists, and are what they claim to be."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.cli.main import app
from service.settings import Settings
from workers.settings import MetricsSettings
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/deployment.md").read_text()
OPTIONS = (ROOT / "service/cli/options.py").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_every_variable_is_read_by_somebody() -> None:
    read = {name.lower() for name in re.findall(r"BITFLOOR_(\w+)", OPTIONS + COMPOSE)}
    read |= {*Settings.model_fields, *WorkerSettings.model_fields}
    read |= {f"metrics_{name}" for name in MetricsSettings.model_fields}
    named = {name.lower() for name in re.findall(r"BITFLOOR_(\w+)", TEXT)}
    assert named
    assert named <= read


@pytest.mark.parametrize("manifest", fenced("yaml"))
def test_a_manifest_starts_a_worker_as_no_root(manifest: str) -> None:
    document: dict[str, Any] = yaml.safe_load(manifest)
    pod = document["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert container["command"] == ["bitfloor", "worker"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    port = next(v["value"] for v in container["env"] if v["name"] == "BITFLOOR_METRICS_PORT")
    for probe in ("startupProbe", "livenessProbe"):
        assert str(container[probe]["httpGet"]["port"]) == port


@pytest.mark.parametrize("script", fenced("bash"))
def test_a_batch_script_is_one(script: str, tmp_path: Path) -> None:
    file = tmp_path / "batch.sh"
    file.write_text(script)
    subprocess.run(["bash", "-n", file], check=True)
    assert script.startswith("#!/bin/bash\n#SBATCH ")
    assert "srun bitfloor worker" in script


def test_every_command_that_it_names_exists() -> None:
    import typer

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    named = set(re.findall(r"`bitfloor (\w+)", TEXT))
    assert {"serve", "worker", "migrate", "doctor"} <= named
    assert named <= set(known)
