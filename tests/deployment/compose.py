"""Reads compose files as Docker would, and runs a service's own command.

A service becomes a process of this machine, wired as the file says: host names become 127.0.0.1,
published and known ports free ones, secrets and volumes folders of the test.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

BIN = Path(sys.executable).parent


class _Reset:
    """What `!reset` stands for: the key is as if nobody had written it."""


class _Loader(yaml.SafeLoader):
    pass


def _reset(_loader: yaml.SafeLoader, _node: yaml.Node) -> _Reset:
    return _Reset()


_Loader.add_constructor("!reset", _reset)


def read(*paths: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the files laid over each other, with the variables put in."""
    merged: dict[str, Any] = {}
    for path in paths:
        text = _interpolated(path.read_text(), environment)
        loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that knows one tag more
        merged = _laid_over(merged, loaded)
    return merged


def _interpolated(text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return environment.get(found["name"]) or found["default"] or ""

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}", value, text)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for name, value in above.items():
        if isinstance(value, _Reset):
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = _laid_over(result[name], value)
        else:
            result[name] = value
    return result


#: what processes need to run here, on a busy machine
OURS = ("HOME", "OMP_NUM_THREADS", "RAY_worker_niceness")


@dataclass(frozen=True)
class Machine:
    """Where the services of a file run in a test."""

    document: Mapping[str, Any]
    #: where each secret's file and each volume of the file lies here
    folder: Path
    #: "name:port" in the file -> the port here
    ports: Mapping[str, int]
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, service: str, command: Sequence[str] | None = None) -> subprocess.Popen[bytes]:
        """Start the service's own command, or another in its place."""
        log = (self.folder / f"{service}.log").open("ab")
        child = subprocess.Popen(
            self.words(service, command or self.document["services"][service]["command"]),
            env=self.environment(service),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self.children.append(child)
        return child

    def comes_up(self, service: str) -> Callable[[], bool]:
        """Start a service that is started again whenever it ends; return whether it is healthy."""
        assert self.document["services"][service]["restart"] == "unless-stopped"
        child = self.start(service)

        def healthy() -> bool:
            nonlocal child
            if child.poll() is not None:
                child = self.start(service)
            return self.healthy(service)

        return healthy

    def run(self, service: str, *command: str) -> str:
        """Run a command in the service's surroundings, as `compose run` does, and return stdout."""
        return subprocess.run(
            self.words(service, command),
            env=self.environment(service),
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=120,
            text=True,
        ).stdout

    def healthy(self, service: str) -> bool:
        """Run the service's own health check once."""
        kind, *test = self.document["services"][service]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        ended = subprocess.run(
            self.words(service, command),
            env=self.environment(service),
            check=False,
            capture_output=True,
            timeout=60,
        )
        return ended.returncode == 0

    def environment(self, service: str) -> dict[str, str]:
        """Return what the file says, and nothing of ours but what a process needs to run here."""
        said = self.document["services"][service].get("environment", {})
        ours = {name: os.environ[name] for name in OURS if name in os.environ}
        path = f"{BIN}:{os.environ['PATH']}"
        return {**ours, "PATH": path} | {
            name: self._here(service, str(value)) for name, value in said.items()
        }

    def words(self, service: str, command: Sequence[str]) -> list[str]:
        """Return the command with names of the file turned into those of this machine."""
        return [self._here(service, word) for word in command]

    def end(self) -> None:
        """End what still runs."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()

    def _here(self, service: str, text: str) -> str:
        for place, port in self.ports.items():
            name, _, number = place.partition(":")
            if name == service:
                text = re.sub(rf"\b{number}\b", str(port), text)
            else:
                text = text.replace(place, f"127.0.0.1:{port}")
                # a URL that leaves its scheme's own port out
                text = re.sub(rf"(?<=[@/]){name}(?=/)", f"127.0.0.1:{port}", text)
        text = text.replace("/run/secrets/", f"{self.folder}/secrets/")
        text = text.replace("/srv/", f"{self.folder}/srv/")
        text = text.replace("/var/cache/", f"{self.folder}/cache/")
        return text.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - stays on this machine
