"""Receivers of webhooks on this machine: real HTTP servers, well and badly behaved."""

import socket
import ssl
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import trustme


@dataclass(frozen=True)
class Request:
    """What a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A running receiver, and what it was sent so far."""

    port: int
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/hook", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Return where it listens."""
        return f"{scheme}://{host}:{self.port}{path}"


#: number of the request, from 0 -> status and further headers
Answer = Callable[[int], tuple[int, dict[str, str]]]


def takes(_: int) -> tuple[int, dict[str, str]]:
    """Answer as a receiver should."""
    return 204, {}


@contextmanager
def receiving(
    answer: Answer = takes, *, context: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Listen on a free port of this machine, over TLS where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = answer(len(receiver.requests))
            receiver.requests.append(Request(self.path, dict(self.headers.items()), body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that hung up."""


@contextmanager
def speaking(*pieces: bytes, pause: float = 0.0, forever: bool = False) -> Iterator[Receiver]:
    """Listen on a free port, and say the pieces to whoever connects, whatever they say.

    `forever`: the last piece again and again, until they hang up; else the connection stays open.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = Receiver(listener.getsockname()[1])
    stop = threading.Event()

    def talk() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    receiver.requests.append(Request("", {}, connection.recv(65536)))
                    for piece in pieces:
                        connection.sendall(piece)
                    while forever and not stop.wait(pause):
                        connection.sendall(pieces[-1])
                    stop.wait()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        # closing alone does not wake whoever waits in accept
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def contexts(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS contexts of a receiver of that name and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server)
    client = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    return server, client
