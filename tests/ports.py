"""Ports for servers that tests start, which nobody else is given meanwhile."""

import random
import socket
from contextlib import suppress

#: below those that the system gives to connections and to whoever asks for any, above Ray's
_RANGE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return so many ports of 127.0.0.1 that nobody listens on, no two alike."""
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            return found
    msg = "every port is taken"
    raise AssertionError(msg)
