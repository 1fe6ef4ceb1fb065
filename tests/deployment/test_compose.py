"""docker-compose.yml is what the specification allows, and its services work as it wires them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from service.client import BitfloorClient
from tests.deployment import postgres
from tests.deployment.compose import Machine
from tests.deployment.compose import read
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
BASE, CPU = ROOT / "docker-compose.yml", ROOT / "docker-compose.cpu.yml"
OURS = ("migrate", "api", "worker")
SPEC = {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.05, "budget": 3}


def wait_for(condition: Callable[[], bool], *, seconds: float = 90.0) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)


@pytest.fixture(params=[(BASE,), (BASE, CPU)], ids=["gpu", "cpu"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(*request.param, environment={})


class TestFile:
    def test_it_is_as_the_compose_specification_says(
        self, document: dict[str, Any], tmp_path: Path
    ) -> None:
        file = tmp_path / "compose.json"
        file.write_text(json.dumps(document))
        check = [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
        ]
        ended = subprocess.run([*check, str(file)], check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout
        # the checker itself finds what is wrong
        document["services"]["api"]["comand"] = ["bitfloor"]
        file.write_text(json.dumps(document))
        assert subprocess.run([*check, str(file)], check=False, capture_output=True).returncode

    def test_a_worker_has_a_gpu_unless_it_is_told_to_do_without(self) -> None:
        with_gpu = read(BASE, environment={})["services"]["worker"]
        (device,) = with_gpu["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
        without = read(BASE, CPU, environment={})["services"]["worker"]
        assert "deploy" not in without
        assert without["environment"]["BITFLOOR_DEVICE"] == "cpu"

    def test_secrets_come_from_files_and_from_nowhere_else(self, document: dict[str, Any]) -> None:
        assert all("file" in secret for secret in document["secrets"].values())
        for part in document["services"].values():
            assert {*part.get("secrets", ())} <= {*document["secrets"]}
            for name, value in part.get("environment", {}).items():
                secret = "PASSWORD" in name or "SECRET" in name or "TOKEN" in name
                assert not secret or value.startswith("/run/secrets/"), name
                assert ":bitfloor@" not in str(value)

    def test_no_service_is_root_or_may_become_it(self, document: dict[str, Any]) -> None:
        for name, part in document["services"].items():
            if "build" not in part:
                assert part["user"] not in ("", "root", "0"), name
                continue
            assert part["cap_drop"] == ["ALL"], name
            assert part["security_opt"] == ["no-new-privileges:true"], name
            assert part["read_only"], name
        lines = (ROOT / "Dockerfile").read_text().splitlines()
        for target in {
            part["build"]["target"] for part in document["services"].values() if "build" in part
        }:
            start = next(n for n, line in enumerate(lines) if line.endswith(f" AS {target}"))
            end = next(
                (n for n in range(start + 1, len(lines)) if lines[n].startswith("FROM")), None
            )
            users = [line.split()[1] for line in lines[start:end] if line.startswith("USER")]
            assert users[-1] == "bitfloor", target

    def test_only_the_api_is_published_and_to_this_machine_alone(
        self, document: dict[str, Any]
    ) -> None:
        published = {n: p["ports"] for n, p in document["services"].items() if "ports" in p}
        assert published == {"api": ["127.0.0.1:8765:8765"]}

    def test_what_runs_on_is_looked_at_and_stopped_gently(self, document: dict[str, Any]) -> None:
        for name, part in document["services"].items():
            if part.get("restart") == "unless-stopped":
                assert part["healthcheck"]["test"], name
                assert int(part["stop_grace_period"].removesuffix("s")) > 10, name

    def test_the_api_image_has_no_torch(self) -> None:
        installed = (
            (ROOT / "Dockerfile").read_text().partition("AS service")[2].partition("FROM")[0]
        )
        assert "'.[service]'" in installed

    def test_what_the_dockerfile_copies_reaches_the_build(self) -> None:
        let_in = (ROOT / ".dockerignore").read_text().split()
        assert let_in[0] == "*"
        for line in (ROOT / "Dockerfile").read_text().splitlines():
            if line.startswith("COPY "):
                assert {f"!{name}" for name in line.split()[1:-1]} <= {*let_in}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Return a machine with the file's secrets and a PostgreSQL that asks for the password."""
    make = shutil.which("make")
    assert make, "the README asks for make"
    subprocess.run(
        [make, "-f", ROOT / "Makefile", "-C", tmp_path, "secrets"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    document = read(BASE, CPU, environment={})
    known = ("api:8765", "worker:9464", "postgres:5432", "ray-head:6379", "ray-worker:9464")
    machine = Machine(document, tmp_path, dict(zip(known, free_ports(len(known)), strict=True)))
    database = document["services"]["postgres"]["environment"]
    assert database["POSTGRES_DB"] == database["POSTGRES_USER"] == "bitfloor"
    with (
        # not below pytest's folders, where another user cannot go
        tempfile.TemporaryDirectory() as folder,
        postgres.running(
            _open(Path(folder)) / "server",
            port=machine.ports["postgres:5432"],
            user="bitfloor",
            password_file=tmp_path / "secrets/postgres_password",
        ),
    ):
        yield machine
        machine.end()


def _open(folder: Path) -> Path:
    folder.chmod(0o755)
    return folder


class TestServices:
    def test_a_job_goes_through_the_deployment(self, machine: Machine) -> None:
        assert machine.start("migrate").wait(60) == 0
        token = machine.run("migrate", "bitfloor", "token", "create", "ci").strip()
        api, worker = machine.start("api"), machine.start("worker")
        wait_for(lambda: machine.healthy("api"))
        wait_for(lambda: machine.healthy("worker"))
        address = f"http://127.0.0.1:{machine.ports['api:8765']}"
        with BitfloorClient(address, token=token) as client:
            wait_for(lambda: bool(client.offers("models").items))
            job = client.submit(SPEC).wait(timeout=90)
            assert job.state == "succeeded"
        log = (machine.folder / "worker.log").read_text()
        assert all(json.loads(line)["event"] for line in log.splitlines())
        secret = (machine.folder / "secrets/postgres_password").read_text().strip()
        assert secret not in log + (machine.folder / "api.log").read_text()
        grace = machine.document["services"]["worker"]["stop_grace_period"]
        for child in (api, worker):
            child.terminate()
            assert child.wait(int(grace.removesuffix("s"))) == 0

    def test_a_health_check_fails_where_nobody_answers(self, machine: Machine) -> None:
        assert not machine.healthy("api")
        assert not machine.healthy("worker")

    def test_a_wrong_password_is_told_in_one_line(self, machine: Machine) -> None:
        (machine.folder / "secrets/postgres_password").write_text("another\n")
        assert machine.start("migrate").wait(60) == 1
        said = (machine.folder / "migrate.log").read_text()
        assert said.startswith("error: cannot reach the database")
        assert "password authentication failed" in said
        assert "another" not in said


class TestRay:
    @pytest.mark.slow
    @pytest.mark.timeout(600)  # three services, one after the other, and each may be waited for
    def test_a_job_is_evaluated_by_the_nodes_of_the_ray_profile(self, machine: Machine) -> None:
        port = machine.ports["ray-head:6379"]
        try:
            assert machine.start("migrate").wait(60) == 0
            token = machine.run("migrate", "bitfloor", "token", "create", "ci").strip()
            api = machine.start("api")
            # each once what it depends on is healthy, as Compose would
            for service in ("ray-head", "ray-node", "ray-worker"):
                # on a busy machine a part of Ray may give up after its half minute
                wait_for(machine.comes_up(service), seconds=180)
            wait_for(lambda: machine.healthy("api"))
            address = f"http://127.0.0.1:{machine.ports['api:8765']}"
            with BitfloorClient(address, token=token) as client:
                wait_for(lambda: bool(client.offers("models").items))
                job = client.submit({**SPEC, "parallelism": "auto"}).wait(timeout=240)
                assert job.state == "succeeded"
            log = (machine.folder / "ray-worker.log").read_text()
            lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
            (told,) = [line for line in lines if line["event"] == "evaluators"]
            assert told["placed"] >= 1
            secret = (machine.folder / "secrets/postgres_password").read_text().strip()
            for service in ("ray-head", "ray-node"):
                assert secret not in str(machine.environment(service))
            api.terminate()
            assert api.wait(15) == 0
        finally:
            machine.end()
            _end_ray(port)


def _end_ray(port: int) -> None:
    """End the parts of a cluster that `ray start` left, which a container would take with it."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if b"ray" in command and f":{port}".encode() in command:
                os.kill(int(entry.name), signal.SIGKILL)
