"""Sends attacks to the API and a worker while Python's audit hooks write down what they do.

`python -m tests.security.audited FOLDER URL` prints one JSON document: the events that start a
process, connect, unpickle or write a file, how requests were answered, and how jobs ended. The
folder has a migrated bitfloor.db; URL is what jobs are told to fetch.
"""

import json
import sys
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import torch
from sqlalchemy import Engine
from sqlalchemy import create_engine

from search.rules import PointRule
from search.spec import JobSpec
from service import logs
from service.api.app import create_app
from service.api.submission import JobSubmission
from service.store import jobs
from service.store import session
from service.store.values import Submission
from tests.service.api import deployment
from workers.settings import WorkerSettings
from workers.worker import Worker

#: what Python announces before it starts a process, and what could lead to one
PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
)
CONNECTIONS = ("socket.connect", "socket.getaddrinfo", "urllib.Request", "http.client.connect")
UNPICKLING = ("pickle.find_class",)

#: each would make the file if anything gave it to a shell, to Python or to a template
COMMANDS = (
    "x; touch {marker} # $(touch {marker}) `touch {marker}` | touch {marker} && touch {marker}",
    "\n__import__('os').system('touch {marker}')\n",
    "!!python/object/apply:os.system ['touch {marker}']",
)


DOCUMENT: dict[str, Any] = create_app(create_engine("sqlite://")).openapi()
NOTHING: Mapping[str, str] = MappingProxyType({})


class Recorder:
    """An audit hook that writes down events of some kinds while it is on."""

    def __init__(self, *kinds: str, ignored: tuple[str, ...] = ()) -> None:
        self.kinds = frozenset(kinds)
        #: what is noted of an event nobody needs has one of these in it
        self.ignored = ignored
        self.on = False
        self.events: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note one event; an audit hook cannot be removed, so it may be off."""
        if self.on and event in self.kinds:
            told = f"{event} {arguments!r:.200}"
            if not any(words in told for words in self.ignored):
                self.events.append(told)


def requests(
    attack: str, known: Mapping[str, str] = NOTHING
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and the rest of requests that carry the text wherever one is taken.

    `known` are parameters of paths with values that exist.
    """
    bodies: tuple[dict[str, Any], ...] = (
        *({field: attack} for field in JobSubmission.model_fields),
        {"quantizers": [attack]},
        {"points": {attack: {"exclude": True}}},
        {"points": {"*": {"quantizers": [attack]}}},
        {"labels": {"team": attack}},
        {"labels": {attack: "team"}},
        {"preprocessing": {"interpolation": attack}},
        {attack: 1},
    )
    for more in bodies:
        yield "POST", "/v1/jobs", {"json": deployment.BODY | more}
    header = attack.replace("\n", " ").strip().encode()
    body = deployment.BODY | {"seed": len(attack)}
    yield "POST", "/v1/jobs", {"json": body, "headers": {"Idempotency-Key": header}}
    yield "GET", "/v1/jobs", {"params": {"label": f"team:{attack}"}}
    job = f"/v1/jobs/{quote(attack, safe='')}"
    yield "POST", f"{job}/priority", {"json": {"priority": attack}}
    yield "GET", f"/api/studies/{quote(attack, safe='')}", {"params": {"after": attack}}
    yield from documented(attack, known)


def documented(attack: str, known: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield requests with the text in every parameter of every operation of the document."""
    header = attack.replace("\n", " ").strip().encode()
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            named: dict[str, list[str]] = {"path": [], "query": [], "header": []}
            for parameter in operation.get("parameters", ()):
                named[parameter["in"]].append(parameter["name"])
            body: dict[str, Any] = {"json": {}} if "requestBody" in operation else {}
            headers = {"headers": dict.fromkeys(named["header"], header)}
            carried = dict.fromkeys(named["path"], quote(attack, safe=""))
            if carried or named["header"]:
                yield method.upper(), path.format(**carried), body | headers
            for name in named["query"]:
                yield method.upper(), path.format(**carried), {"params": {name: attack}}
            # beside what exists; alone it is the request above
            for name in carried.keys() & known.keys() if len(carried) > 1 else ():
                yield method.upper(), path.format(**{**carried, name: known[name]}), body


def specs(attack: str) -> Iterator[JobSpec]:
    """Yield jobs as the store would hold them had the API let them through."""
    plain: dict[str, Any] = {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02}
    for changes in (
        {"model": attack},
        {"model": f"torchvision/{attack}"},
        {"model": f"timm/{attack}"},
        {"model": f"timm/hf-hub:{attack}"},
        {"model": f"program/{attack}"},
        {"model": "torchvision/resnet18", "weights": attack},
        {"model": "torchvision/resnet18", "weights": f"{attack}.pth"},
        {"model": "timm/resnet18", "weights": f"{attack}.safetensors"},
        {"dataset": attack},
        {"dataset": f"folder/{attack}"},
        {"dataset": f"arrays/{attack}"},
        {"dataset": f"torchvision/{attack}"},
        {"sampler": attack},
        {"quantizers": (attack,)},
        {"points": ((attack, PointRule(exclude=True)),)},
    ):
        yield JobSpec(**(plain | changes), budget=1)


def asked(engine: Engine, attacks: Iterable[str], *, recorder: Recorder) -> list[int]:
    """Send every request with every attack; return the statuses."""
    deployment.announce(engine)
    with deployment.client_of(create_app(engine)) as client:
        port = client.base_url.port
        recorder.ignored = (f"('127.0.0.1', {port})", f"('127.0.0.1', {port},")
        recorder.on = True
        return [
            client.request(method, path, **rest).status_code
            for attack in attacks
            for method, path, rest in requests(attack)
        ]


def worked(engine: Engine, folder: Path, attacks: list[str]) -> list[tuple[str, str, str]]:
    """Let a worker carry out every job with every attack; return how each ended, and why."""
    settings = WorkerSettings(
        model_root=folder / "models", data_root=folder / "datasets", cache_dir=folder / "cache"
    )
    for made in (settings.model_root, settings.data_root):
        made.mkdir()
    page = jobs.page(engine, limit=500)
    for job in page.items:
        if not job.state.final:
            jobs.request_cancel(engine, job.id)
    submitted = [
        jobs.enqueue(engine, Submission(spec=spec, idempotency_key=f"{number}"))[0].id
        for number, spec in enumerate(spec for attack in attacks for spec in specs(attack))
    ]
    worker = Worker(engine, settings, torch.device("cpu"), threading.Event())
    while worker.work_once():
        pass
    found = [jobs.get(engine, job_id) for job_id in submitted]
    return [
        (
            job.state.value,
            job.error.code if job.error else "",
            job.error.message if job.error else "",
        )
        for job in found
    ]


def main(folder: Path, url: str) -> None:
    """Attack, and print what was seen."""
    commands = [command.format(marker=folder / "marker") for command in COMMANDS]
    logs.to_stderr()
    recorder = Recorder(*PROCESSES, *CONNECTIONS, *UNPICKLING)
    sys.addaudithook(recorder)
    engine = session.open_engine(f"sqlite:///{folder / 'bitfloor.db'}")
    statuses = asked(engine, [*commands, url], recorder=recorder)
    ended = worked(engine, folder, [f"{url}?{commands[0]}"])
    recorder.on = False
    seen = {"events": recorder.events, "statuses": statuses, "jobs": ended}
    print(json.dumps(seen))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
