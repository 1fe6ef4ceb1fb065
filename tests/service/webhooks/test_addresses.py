"""Addresses: what is not of the public internet is no place for a webhook."""

from ipaddress import ip_address
from ipaddress import ip_network

import pytest

from service.webhooks.addresses import is_public
from service.webhooks.addresses import permitted
from service.webhooks.addresses import resolve

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "100.64.0.1",  # carriers' own
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # clouds' metadata
    "172.16.0.1",
    "192.0.0.192",  # another cloud's metadata
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # 127.0.0.1, translated
    "64:ff9b:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:db8::1",
    "3fff::1",
    "4000::1",
    "2002:7f00:1::",  # 127.0.0.1, tunnelled
    "fc00::1",
    "fd00:ec2::254",  # clouds' metadata
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


class TestIsPublic:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_the_others_are_not(self, address: str) -> None:
        assert not is_public(ip_address(address))

    @pytest.mark.parametrize("address", PUBLIC)
    def test_the_internets_are(self, address: str) -> None:
        assert is_public(ip_address(address))


class TestPermitted:
    def test_within_a_network_that_was_named_a_private_one_is(self) -> None:
        within = [ip_network("10.1.0.0/16")]
        assert permitted("10.1.2.3", within)
        assert not permitted("10.2.0.1", within)
        assert not permitted("169.254.169.254", within)
        assert not permitted("::ffff:10.1.2.3", within)

    def test_then_a_public_one_is_not(self) -> None:
        assert not permitted("8.8.8.8", [ip_network("10.1.0.0/16")])

    @pytest.mark.parametrize("text", ["", "localhost", "fe80::1%eth0", "8.8.8.8%eth0"])
    def test_what_is_no_public_address_is_not(self, text: str) -> None:
        assert not permitted(text, [])


class TestResolve:
    def test_each_address_is_named_once(self) -> None:
        found = resolve("localhost", 80)
        assert "127.0.0.1" in found
        assert len(found) == len({*found})

    def test_a_name_that_cannot_be_is_an_error(self) -> None:
        with pytest.raises(OSError, match=r"."):
            resolve("no-such-host.invalid", 80)
