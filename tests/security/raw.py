"""Connections without an HTTP client, which would tidy up what an attacker does not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from urllib.parse import urlsplit


@contextmanager
def connected(address: str, sent: bytes = b"") -> Iterator[socket.socket]:
    """Connect and send these bytes."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(sent)
        yield connection


def everything(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    answer = b""
    with suppress(ConnectionResetError):
        while found := connection.recv(2**20):
            answer += found
    return answer
