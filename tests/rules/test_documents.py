"""What the documents and the deployment files say exists, exists."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from search.quantization import quantizer
from search.spec import JobSpec
from service.cli.main import app
from service.settings import LogSettings
from service.settings import Settings
from tests.rules.source import ROOT
from workers import __main__ as workers_main
from workers import fleet
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.offers import offers
from workers.settings import MetricsSettings
from workers.settings import RaySettings
from workers.settings import WorkerSettings

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_in(script: str) -> Iterator[list[str]]:
    for found in re.finditer(r"\bbitfloor (?P<rest>[a-z].*)", script):
        yield shlex.split(found["rest"].partition(")\n")[0].rstrip(")"), comments=True)


#: command -> the programs that it hands its options to
PASSED_ON = {
    "worker": (typer.main.get_command(workers_main.app),),
    "ray-workers": (typer.main.get_command(fleet.app), typer.main.get_command(workers_main.app)),
}


def unknown_in(command: list[str]) -> list[str]:
    name, *arguments = command
    if name not in COMMANDS:
        return [name]
    asked = COMMANDS[name]
    if hasattr(asked, "commands") and arguments:
        name, *arguments = arguments
        if name not in asked.commands:
            return [name]
        asked = asked.commands[name]
    programs = (asked, *PASSED_ON.get(name, ()))
    known = {option for each in programs for parameter in each.params for option in parameter.opts}
    return [a for a in arguments if a.startswith("-") and a.partition("=")[0] not in known]


class TestLinks:
    @pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
    def test_every_relative_link_leads_somewhere(self, document: Path) -> None:
        links = re.findall(r"\]\(([^)#]+)", document.read_text())
        local = [link for link in links if not re.match(r"https?:", link)]
        assert [link for link in local if not (document.parent / link).exists()] == []


class TestReadme:
    TEXT = (ROOT / "README.md").read_text()

    def test_its_request_is_one_that_a_worker_can_carry_out(self, tmp_path: Path) -> None:
        request: dict[str, Any] = yaml.safe_load(fenced(self.TEXT, "yaml")[0])
        assert request.pop("labels") == {"team": "vision"}
        spec = JobSpec(**request)
        assert (spec.model, spec.dataset) == ("digits-vgg", "digits")
        assert spec.model in open_models(tmp_path).offers()
        offered = offers(open_models(tmp_path), surroundings(WorkerSettings()))
        assert spec.dataset in {offer.name for offer in offered if offer.kind == "dataset"}
        assert {*spec.quantizers} <= {known.name for known in quantizer.registered()}

    def test_its_commands_and_their_options_exist(self) -> None:
        commands = [c for block in fenced(self.TEXT, "bash") for c in commands_in(block)]
        assert {"up", "submit", "watch", "best", "report"} <= {command[0] for command in commands}
        assert [name for command in commands for name in unknown_in(command)] == []

    def test_an_unknown_command_or_option_would_be_seen(self) -> None:
        assert unknown_in(["fly"]) == ["fly"]
        assert unknown_in(["best", "$job", "--fail-unless=saved>=0.8", "--wings"]) == ["--wings"]

    def test_its_program_can_be_saved_and_loaded_as_it_is_written(self, tmp_path: Path) -> None:
        root = tmp_path / "bitfloor-data/models"
        root.mkdir(parents=True)
        written = fenced(self.TEXT, "python")[0]
        subprocess.run([sys.executable, "-c", written], check=True, cwd=tmp_path, timeout=120)
        loaded = open_models(root).load("program/mine")
        assert (loaded.input_shape, loaded.classes) == ((3, 224, 224), 1000)

    def test_its_make_targets_exist(self) -> None:
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        named = re.findall(r"^    make ([a-z]+)", self.TEXT, re.MULTILINE)
        assert named
        assert {*named} <= {*targets}


class TestModelsDocument:
    TEXT = (ROOT / "docs/models.md").read_text()

    def test_its_entry_point_is_one(self, tmp_path: Path) -> None:
        declared = tomllib.loads(fenced(self.TEXT, "toml")[0])
        (name, value), *rest = declared["project"]["entry-points"]["bitfloor.models"].items()
        assert not rest
        (tmp_path / f"{value.partition(':')[0]}.py").write_text(fenced(self.TEXT, "python")[0])
        load = (
            "from importlib.metadata import EntryPoint\n"
            "from workers.models.installed import GROUP, InstalledModels\n"
            "from workers.models.registry import Models\n"
            f"entry = EntryPoint({name!r}, {value!r}, GROUP)\n"
            f"loaded = Models((InstalledModels(lambda: [entry]),)).load({name!r})\n"
            "assert loaded.preprocessing and loaded.classes\n"
        )
        path = f"{ROOT}:{tmp_path}"
        subprocess.run(
            [sys.executable, "-c", load], check=True, env={"PYTHONPATH": path}, timeout=120
        )

    def test_it_names_every_source(self) -> None:
        for source in ("torchvision/", "timm/", "program/", "bitfloor.models", "digits-vgg"):
            assert source in self.TEXT


class TestDecisions:
    @pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
    def test_each_has_the_parts_of_the_template(self, decision: Path) -> None:
        parts = re.findall(r"^\*\*(\w+)\.\*\*", decision.read_text(), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives", "Check"]

    @pytest.mark.parametrize("decision", DECISIONS[1:], ids=lambda path: path.stem)
    def test_each_names_a_check_that_exists(self, decision: Path) -> None:
        check = decision.read_text().partition("**Check.**")[2]
        files = re.findall(r"`((?:tests/|pyproject)[\w./]+)`", check)
        assert files
        assert [name for name in files if not (ROOT / name).exists()] == []
        configured = (ROOT / "pyproject.toml").read_text()
        if "ontract" in check.partition(" in `pyproject.toml`")[0] and "pyproject" in check:
            contracts = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", check)
            assert contracts
            assert [name for name in contracts if f'id = "{name}"' not in configured] == []

    def test_the_index_lists_them_all(self) -> None:
        index = (ROOT / "docs/README.md").read_text()
        assert [path.name for path in DECISIONS[1:] if path.name not in index] == []


def _commands(words: list[str]) -> list[list[str]]:
    """Return the commands of a service, those within a shell apart."""
    if words[:2] != ["sh", "-c"]:
        return [words]
    parts = (shlex.split(part) for part in words[2].split("&&"))
    return [part[part[:1] == ["exec"] :] for part in parts]


class TestCompose:
    def test_it_holds_the_parts_of_a_deployment(self) -> None:
        always = {name for name, part in COMPOSE["services"].items() if "profiles" not in part}
        assert always == {"postgres", "migrate", "api", "worker"}
        with_ray = {n for n, part in COMPOSE["services"].items() if part.get("profiles") == ["ray"]}
        assert with_ray == {"ray-head", "ray-node", "ray-worker"}

    def test_its_commands_exist(self) -> None:
        commands = [part["command"] for part in COMPOSE["services"].values() if "command" in part]
        assert len(commands) == 6
        ours = 0
        for words in commands:
            # what a shell runs in the end
            *_, (program, *command) = _commands(words)
            assert program in {"bitfloor", "ray"}
            ours += program == "bitfloor"
            assert program == "ray" or unknown_in(command) == []
        assert ours == 4

    def test_its_variables_are_read_by_somebody(self) -> None:
        options = re.findall(r"BITFLOOR_(\w+)", (ROOT / "service/cli/options.py").read_text())
        read = {name.lower() for name in options}
        fields = {*Settings.model_fields, *WorkerSettings.model_fields, *LogSettings.model_fields}
        fields |= read | {f"metrics_{name}" for name in MetricsSettings.model_fields}
        fields |= {f"ray_{name}" for name in RaySettings.model_fields}
        names = {
            name
            for part in COMPOSE["services"].values()
            for name in part.get("environment", {})
            if name.startswith("BITFLOOR_")
        }
        assert "BITFLOOR_DATABASE_URL" in names
        assert {name.removeprefix("BITFLOOR_").lower() for name in names} <= fields

    def test_it_builds_stages_that_the_dockerfile_has(self) -> None:
        stages = re.findall(r"^FROM .* AS (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        builds = [part["build"] for part in COMPOSE["services"].values() if "build" in part]
        assert {build["target"] for build in builds} <= {*stages}

    def test_nobody_starts_before_the_tables_are_there(self) -> None:
        for name in ("api", "worker"):
            condition = COMPOSE["services"][name]["depends_on"]["migrate"]["condition"]
            assert condition == "service_completed_successfully"

    def test_what_the_dockerfile_copies_exists(self) -> None:
        copies = re.findall(r"^COPY (.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        assert [
            name for line in copies for name in line.split() if not (ROOT / name).exists()
        ] == []
