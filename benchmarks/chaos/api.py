"""`bitfloor serve` as a process that can be killed and started again on its port."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import suppress
from http.client import HTTPConnection
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.chaos import requests
from search.spec import DEFAULT_QUANTIZERS
from service.store.values import Offer

HOST = "127.0.0.1"
TIMEOUT = 30.0  # seconds for one answer

#: what a worker would announce, for submissions that nobody carries out
OFFERS = (
    Offer(kind="model", name="digits-vgg", details={}),
    Offer(kind="dataset", name="digits", details={}),
    *(Offer(kind="quantizer", name=name, details={}) for name in DEFAULT_QUANTIZERS),
    *(Offer(kind="sampler", name=name, details={}) for name in requests.SAMPLERS),
)

#: an answer: its status and its document
Answer = tuple[int, dict[str, Any]]
NOBODY: Answer = (0, {})


class Api:
    """One API over one database; between two of its processes nobody answers."""

    def __init__(self, url: str, log: Path) -> None:
        self.port = _free_port()
        self._url, self._log = url, log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it can be used."""
        command = [sys.executable, "-m", "service.cli", "serve", "--database-url", self._url]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "BITFLOOR_REQUESTS_PER_MINUTE": "10000000"},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("server "), self._log.read_text()

    def kill(self) -> None:
        """End it as a power cut would, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer | None:
        """Return the answer, None where none came, NOBODY where nobody took the request."""
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = HTTPConnection(HOST, self.port, timeout=TIMEOUT)
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except ConnectionRefusedError:
            return NOBODY
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()


def _free_port() -> int:
    """Return a port that nobody listens on, nor is given while it is free between two processes.

    That is, below those that the system gives to whoever asks for any.
    """
    while True:
        with suppress(OSError), socket.create_server((HOST, random.randrange(20_000, 32_000))) as s:  # noqa: S311  # keeps no secret
            port: int = s.getsockname()[1]
            return port


def body(seed: int) -> dict[str, Any]:
    """Return a small request."""
    asked = {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02, "budget": 12}
    return asked | {"quantizers": ["affine"], "sampler": "random", "seed": seed, "fresh": True}


@contextmanager
def served(url: str, log: Path) -> Iterator[Api]:
    """Serve the database, and end that in any case."""
    api = Api(url, log)
    api.start()
    try:
        yield api
    finally:
        api.kill()
