"""URLs of webhooks: one way to read each, or none."""

import pytest

from service.webhooks.errors import UrlRefused
from service.webhooks.targets import MAX_URL
from service.webhooks.targets import parse


class TestParse:
    @pytest.mark.parametrize(
        "url, authority, path",
        [
            ("https://ci.example.com/hook?a=b", "ci.example.com", "/hook?a=b"),
            ("HTTPS://CI.Example.COM", "ci.example.com", "/"),
            ("https://ci.example.com?a=b", "ci.example.com", "/?a=b"),
            ("https://ci.example.com:443/", "ci.example.com", "/"),
            ("https://ci.example.com:8443/", "ci.example.com:8443", "/"),
            ("http://ci.example.com:443/", "ci.example.com:443", "/"),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
            ("https://api_server:8443/x", "api_server:8443", "/x"),
            ("https://[2001:DB8::0001]:8443/x", "[2001:db8::1]:8443", "/x"),
            ("https://192.0.2.7/%0d%0aX:%20y", "192.0.2.7", "/%0d%0aX:%20y"),
            ("https://ci.example.com/a@b", "ci.example.com", "/a@b"),
        ],
    )
    def test_there_is_one_way_to_write_it(self, url: str, authority: str, path: str) -> None:
        target = parse(url)
        assert (target.authority, target.path) == (authority, path)
        assert target.scheme == url.partition(":")[0].lower()

    @pytest.mark.parametrize(
        "url",
        [
            "-",
            "ci.example.com/hook",
            "//ci.example.com",
            "ftp://ci.example.com",
            "file:///etc/passwd",
            "gopher://ci.example.com",
            "https:/ci.example.com",
            "https://",
            "https:///hook",
            "https://ci.example.com:0/",
            "https://ci.example.com:65536/",
            "https://ci.example.com:+443/",
            "https://ci.example.com:/",
            "https://ci..example.com/",
            "https://.example.com/",
            "https://-ci.example.com/",
            "https://ci%2eexample.com/",
            "https://ci.example.com,evil.example/",
            "https://[::1/",
            "https://::1/",
            "https://[fe80::1%25eth0]/",
            "https://[127.0.0.1]/",
            f"https://{'a' * 64}.example/",
            f"https://{'a.' * 127}a/",
        ],
    )
    def test_what_is_no_such_address_is_refused(self, url: str) -> None:
        with pytest.raises(UrlRefused, match="no address such as https://"):
            parse(url)

    @pytest.mark.parametrize(
        "host",
        [
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "a.0x",
        ],
    )
    def test_an_address_in_disguise_is_refused(self, host: str) -> None:
        with pytest.raises(UrlRefused, match="no address"):
            parse(f"https://{host}/")

    @pytest.mark.parametrize(
        "url",
        [
            "https://bücher.example/",
            "https://ⓒⓘ.example.com/",
            "https://ci。example.com/",
            "https://１２７.0.0.1/",
            "https://ci.example.com\\@evil.example/",
            "https://ci.example.com\t.evil.example/",
            "https://ci.example.com/ HTTP/1.1",
            "https://ci.example.com/\r\nX: y",
            "https://ci.example.com/\x00",
            "https://ci.example.com/é",
            " https://ci.example.com/",
            "https://ci.example.com/\n",
            "",
        ],
    )
    def test_characters_that_programs_read_differently_are_refused(self, url: str) -> None:
        with pytest.raises(UrlRefused, match="characters that a URL may not"):
            parse(url)

    @pytest.mark.parametrize("userinfo", ["user:hunter2", "hunter2", "", "ci.example.com:443"])
    def test_credentials_are_refused_and_not_repeated(self, userinfo: str) -> None:
        with pytest.raises(UrlRefused, match="a name or a password") as refused:
            parse(f"https://{userinfo}@evil.example/")
        assert "hunter2" not in str(refused.value)

    def test_a_fragment_is_refused(self) -> None:
        with pytest.raises(UrlRefused, match="fragment"):
            parse("https://ci.example.com#@evil.example/")

    def test_a_long_one_is_refused(self) -> None:
        start = "https://ci.example.com/"
        assert len(parse(start + "a" * (MAX_URL - len(start))).path) == MAX_URL - len(start) + 1
        with pytest.raises(UrlRefused, match="more than 2048 characters"):
            parse(start + "a" * (MAX_URL - len(start) + 1))
