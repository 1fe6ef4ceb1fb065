"""The allowlist: scheme, host and port have to be on it, and a private network has to be named."""

from ipaddress import ip_network

import pytest

from service.webhooks.allowlist import entries
from service.webhooks.allowlist import require
from service.webhooks.errors import EntryUnusable
from service.webhooks.errors import UrlRefused

ALLOWED = entries("ci.example.com, http://build.example.com:8080,hooks.example.com:8443")


class TestEntries:
    def test_https_and_its_port_go_without_saying(self) -> None:
        (entry,) = entries("CI.Example.com")
        assert (entry.scheme, entry.host, entry.port) == ("https", "ci.example.com", 443)
        assert entry.within == ()

    def test_none_allows_none(self) -> None:
        assert entries("") == entries(" , ") == ()

    @pytest.mark.parametrize(
        "text, within",
        [
            ("10.0.0.5", ["10.0.0.5/32"]),
            ("https://[FD00::5]:8443", ["fd00::5/128"]),
            ("http://localhost:9000", ["127.0.0.0/8", "::1/128"]),
            ("http://hooks.localhost:9000", ["127.0.0.0/8", "::1/128"]),
            ("ci.corp:8443=10.1.0.0/16", ["10.1.0.0/16"]),
            ("ci.corp=fd00::/8", ["fd00::/8"]),
            ("ci.corp=10.0.0.7", ["10.0.0.7/32"]),
            ("8.8.8.8", ["8.8.8.8/32"]),
        ],
    )
    def test_a_private_network_is_allowed_by_naming_it(self, text: str, within: list[str]) -> None:
        assert entries(text)[0].within == tuple(map(ip_network, within))

    @pytest.mark.parametrize(
        "text",
        [
            "*",
            "*.example.com",
            "https://ci.example.com/hook",
            "user@ci.example.com",
            "bücher.example",
            "ftp://ci.example.com",
            "ci.example.com:http",
            "127.1",
            "a b",
            "ci.corp=",
            "ci.corp=a=b",
        ],
    )
    def test_what_is_no_host_is_told(self, text: str) -> None:
        with pytest.raises(EntryUnusable, match="is no host; write HOST"):
            entries(f"ci.example.com,{text}")

    @pytest.mark.parametrize("text", ["ci.corp=corp", "ci.corp=10.0.0.1/8", "ci.corp=10.0.0.0/33"])
    def test_what_is_no_network_is_told(self, text: str) -> None:
        with pytest.raises(EntryUnusable, match="no network after ="):
            entries(text)


class TestRequire:
    @pytest.mark.parametrize(
        "url",
        [
            "https://ci.example.com/hook",
            "https://CI.example.com:443/hook",
            "http://build.example.com:8080/",
            "https://hooks.example.com:8443/",
        ],
    )
    def test_what_is_on_the_list_may_be_called(self, url: str) -> None:
        require(url, ALLOWED)

    @pytest.mark.parametrize(
        "url",
        [
            "http://ci.example.com/hook",
            "http://ci.example.com:443/hook",
            "https://ci.example.com:8443/hook",
            "https://build.example.com:8080/",
            "https://hooks.example.com/",
            "https://ci.example.com.evil.example/",
            "https://evil.example/ci.example.com",
            "https://evil.example?https://ci.example.com/",
            "https://a.ci.example.com/",
            "https://example.com/",
            "https://169.254.169.254/latest/meta-data/",
        ],
    )
    def test_what_is_not_may_not(self, url: str) -> None:
        with pytest.raises(UrlRefused, match=r"no webhook may go to .* BITFLOOR_WEBHOOK_HOSTS"):
            require(url, ALLOWED)

    def test_a_name_that_ends_in_a_dot_is_no_other_host(self) -> None:
        with pytest.raises(UrlRefused):
            require("https://ci.example.com./hook", ALLOWED)

    def test_without_a_list_nothing_may_be(self) -> None:
        with pytest.raises(UrlRefused, match="sends no webhooks; leave the field out"):
            require("https://ci.example.com/hook", ())

    def test_the_path_which_may_be_secret_is_not_repeated(self) -> None:
        with pytest.raises(UrlRefused) as refused:
            require("https://evil.example/services/T0/hunter2", ALLOWED)
        assert "hunter2" not in str(refused.value)
