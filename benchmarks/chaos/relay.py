"""A way to PostgreSQL that can be cut: what is sent meanwhile is held back and delivered later."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url

NAME = ".s.PGSQL.5432"
_CHUNK = 2**16  # bytes


class Relay:
    """Accepts connections on a socket in a folder and passes them on to another."""

    def __init__(self, folder: Path, target: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / NAME))
        self._door.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    @contextmanager
    def before(cls, url: str, folder: Path) -> Iterator["Relay"]:
        """Relay to the server of the URL, and close every connection in the end."""
        host = make_url(url).query["host"]
        relay = cls(folder, Path(str(host)) / NAME)
        try:
            yield relay
        finally:
            relay.close()

    def cut(self) -> None:
        """Let nothing through, in either direction, and tell nobody."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through, what was held back first."""
        self._open.set()

    def close(self) -> None:
        """End all connections."""
        self._open.set()
        for end in [self._door, *self._ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX)
                self._ends += [near, far]
                far.connect(str(self._target))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # either end was closed
            while data := source.recv(_CHUNK):
                self._open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
