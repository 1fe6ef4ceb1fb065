"""Reads the URL of a webhook, and refuses whatever two programs could read in two ways."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from ipaddress import IPv6Address

from service.webhooks.errors import UrlRefused

PORTS = {"https": 443, "http": 80}
MAX_URL = 2048  # characters
_MAX_NAME = 253
_MAX_PORT = 65_535

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
#: a name that ends in one of these is an address to some programs, written in one of many ways
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?:\[\]]+|\[[^/?\[\]]+\])(:(?P<port>[0-9]+))?")
#: what RFC 3986 lets a URL consist of, less the fragment's sign
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a webhook goes, in the one way to write it."""

    scheme: str
    #: a name in small ASCII letters, or an address without brackets
    host: str
    port: int
    #: path and query
    path: str

    @property
    def authority(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Return where the URL leads; raise UrlRefused."""
    if len(url) > MAX_URL:
        raise UrlRefused(f"it has more than {MAX_URL} characters; use a shorter one")
    if "#" in url:
        raise UrlRefused("it has a fragment, which no server is sent; leave out # and what follows")
    if not _CHARACTERS.fullmatch(url):
        raise UrlRefused(
            "it holds characters that a URL may not; write them as %XX, and a name outside ASCII "
            "in its xn-- form"
        )
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise UrlRefused(
            "it holds a name or a password; leave them out: every request is signed instead"
        )
    match = _URL.fullmatch(f"{scheme.lower()}://{authority}")
    host = canonical_host(match["host"]) if match else None
    port = int(match["port"] or PORTS[match["scheme"]]) if match else 0
    if match is None or host is None or not 0 < port <= _MAX_PORT:
        raise UrlRefused("it is no address such as https://hooks.example.com/bitfloor; write one")
    path = rest.removeprefix(authority)
    return Target(
        scheme=match["scheme"],
        host=host,
        port=port,
        path=path if path.startswith("/") else f"/{path}",
    )


def canonical_host(text: str) -> str | None:
    """Return the host in the one way to write it; None for what is no host, or a doubtful one."""
    name = text.lower()
    try:
        if name.startswith("["):
            address = IPv6Address(name[1:-1])
            return None if address.scope_id else address.compressed
        if _NUMBER.fullmatch(name.rpartition(".")[2]):
            return str(IPv4Address(name))
    except ValueError:
        return None
    return name if _NAME.fullmatch(name) and len(name) <= _MAX_NAME else None
