"""The hosts that the operator lets webhooks go to; whatever is not on the list is refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from service.webhooks.addresses import LOOPBACK
from service.webhooks.addresses import Network
from service.webhooks.addresses import network
from service.webhooks.errors import EntryUnusable
from service.webhooks.errors import UrlRefused
from service.webhooks.targets import Target
from service.webhooks.targets import parse

_ENTRY = re.compile(r"((?P<scheme>[A-Za-z]+)://)?(?P<authority>[^/=?]+)(=(?P<network>[^=]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHost:
    """One scheme, host and port."""

    scheme: str
    host: str
    port: int
    #: where its addresses have to lie; none: they have to be public
    within: tuple[Network, ...] = ()


def entries(text: str) -> tuple[AllowedHost, ...]:
    """Return what a list between commas allows; raise EntryUnusable."""
    return tuple(_entry(part.strip()) for part in text.split(",") if part.strip())


def require(url: str, allowed: Sequence[AllowedHost]) -> tuple[Target, AllowedHost]:
    """Return where the URL leads and the entry that allows it; raise UrlRefused."""
    if not allowed:
        raise UrlRefused(
            "this service sends no webhooks; leave the field out, or ask the operator to allow a "
            "host with BITFLOOR_WEBHOOK_HOSTS"
        )
    target = parse(url)
    for entry in allowed:
        if (entry.scheme, entry.host, entry.port) == (target.scheme, target.host, target.port):
            return target, entry
    raise UrlRefused(
        f"no webhook may go to {target.scheme}://{target.authority}; ask the operator to allow it "
        "with BITFLOOR_WEBHOOK_HOSTS, or name a host that is allowed"
    )


def _entry(text: str) -> AllowedHost:
    match = _ENTRY.fullmatch(text)
    if match is None:
        raise EntryUnusable(text, "is no host")
    try:
        target = parse(f"{match['scheme'] or 'https'}://{match['authority']}")
    except UrlRefused as error:
        raise EntryUnusable(text, "is no host") from error
    try:
        within = (network(match["network"]),) if match["network"] else _named(target.host)
    except ValueError as error:
        raise EntryUnusable(text, "names no network after =, such as 10.1.0.0/16") from error
    return AllowedHost(scheme=target.scheme, host=target.host, port=target.port, within=within)


def _named(host: str) -> tuple[Network, ...]:
    """Return the networks that naming this host is as good as naming."""
    if host == "localhost" or host.endswith(".localhost"):
        return LOOPBACK
    try:
        return (network(str(ip_address(host))),)
    except ValueError:
        return ()
