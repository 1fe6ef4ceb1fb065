"""One POST: to the address that was checked, under the name that was asked for, in its time."""

import ssl
import time

import pytest

from service.store.webhooks import Outcome
from service.webhooks.allowlist import entries
from service.webhooks.post import Limits
from service.webhooks.post import Sender
from tests.service.webhooks.receivers import Receiver
from tests.service.webhooks.receivers import contexts
from tests.service.webhooks.receivers import receiving
from tests.service.webhooks.receivers import speaking

NAME = "hooks.example.com"
USUAL = Limits()
#: for receivers that never answer
QUICK = Limits(connect=0.5, read=0.4, total=0.8)
#: for those that answer, and then leave their body open
BRIEF = Limits(read=2.0, total=4.0)
SLACK = 5.0  # seconds beyond a limit, on a busy machine


class Resolver:
    """Resolves every name to what it is given, one answer after another, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = [*answers]
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


def posted(
    url: str, *, allowed: str, resolve: Resolver | None = None, limits: Limits = USUAL
) -> Outcome:
    """Post a word to the URL, with these hosts allowed."""
    resolve = resolve or Resolver(["127.0.0.1"])
    sender = Sender(entries(allowed), resolve=resolve, limits=limits)
    return sender.post(url, headers={"webhook-id": "msg_1"}, body=b'{"a":1}')


def to(receiver: Receiver, *, limits: Limits = USUAL) -> Outcome:
    """Post a word to the receiver, which the operator allows by its address."""
    return posted(receiver.url(), allowed=f"http://127.0.0.1:{receiver.port}", limits=limits)


class TestPost:
    def test_the_receiver_is_sent_the_document_under_its_own_name(self) -> None:
        with receiving() as receiver:
            allowed = f"http://{NAME}:{receiver.port}=127.0.0.0/8"
            url = receiver.url("/hook?a=%20b", host=NAME)
            assert posted(url, allowed=allowed) == Outcome(status=204)
        (request,) = receiver.requests
        assert (request.path, request.body) == ("/hook?a=%20b", b'{"a":1}')
        assert request.headers["Host"] == f"{NAME}:{receiver.port}"
        assert request.headers["webhook-id"] == "msg_1"
        assert request.headers["Content-Length"] == "7"

    def test_no_proxy_of_the_environment_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving() as proxy, receiving() as receiver:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url(""))
            assert to(receiver).status == 204
        assert (len(proxy.requests), len(receiver.requests)) == (0, 1)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with (
            receiving() as elsewhere,
            receiving(lambda _: (status, {"Location": elsewhere.url()})) as receiver,
        ):
            outcome = to(receiver)
        assert (outcome.status, len(receiver.requests)) == (status, 1)
        assert outcome.error == "the receiver redirects, which is not followed"
        assert elsewhere.requests == []

    @pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
    def test_any_other_answer_is_a_failure(self, status: int) -> None:
        with receiving(lambda _: (status, {})) as receiver:
            assert to(receiver) == Outcome(status=status, error=f"the receiver answered {status}")


class TestAddresses:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254"])
    def test_a_public_name_for_a_private_address_is_not_connected_to(self, address: str) -> None:
        with receiving() as receiver:
            outcome = posted(
                receiver.url(host=NAME),
                allowed=f"http://{NAME}:{receiver.port}",
                resolve=Resolver([address]),
            )
        assert receiver.requests == []
        assert outcome.status is None
        assert "not public" in str(outcome.error)
        assert address not in str(outcome.error)

    def test_one_private_address_among_public_ones_is_enough(self) -> None:
        with receiving() as receiver:
            outcome = posted(
                receiver.url(host=NAME),
                allowed=f"http://{NAME}:{receiver.port}",
                resolve=Resolver(["8.8.8.8", "127.0.0.1"]),
            )
        assert "not public" in str(outcome.error)
        assert receiver.requests == []

    def test_the_name_is_resolved_once_so_that_it_cannot_change_in_between(self) -> None:
        with receiving() as receiver:
            rebinding = Resolver(["127.0.0.1"], ["127.0.0.2"])
            outcome = posted(
                receiver.url(host=NAME),
                allowed=f"http://{NAME}:{receiver.port}=127.0.0.1",
                resolve=rebinding,
            )
        assert outcome.status == 204
        assert rebinding.asked == [(NAME, receiver.port)]

    def test_a_loopback_name_leads_nowhere_else(self) -> None:
        outcome = posted(
            "http://localhost:9/", allowed="http://localhost:9", resolve=Resolver(["8.8.8.8"])
        )
        assert "not public" in str(outcome.error)

    def test_an_address_that_does_not_answer_gives_way_to_the_next(self) -> None:
        with receiving() as receiver:
            outcome = posted(
                receiver.url(host=NAME),
                allowed=f"http://{NAME}:{receiver.port}=127.0.0.0/8",
                resolve=Resolver(["127.0.0.9", "127.0.0.1"]),
            )
        assert outcome.status == 204

    def test_a_host_that_is_no_longer_allowed_is_not_asked_for(self) -> None:
        resolver = Resolver()
        outcome = posted("https://ci.example.com/x", allowed="b.example", resolve=resolver)
        assert "no webhook may go to https://ci.example.com" in str(outcome.error)
        assert resolver.asked == []

    def test_a_name_that_leads_nowhere_is_told(self) -> None:
        sender = Sender(entries("no-such-host.invalid"), limits=QUICK)
        outcome = sender.post("https://no-such-host.invalid/", headers={}, body=b"")
        assert outcome.error == "the name no-such-host.invalid cannot be resolved"
        found = posted("https://a.example/", allowed="a.example", resolve=Resolver([]))
        assert found.error == "the name a.example cannot be resolved"


class TestTls:
    def secured(self, *, of: str, asked: str, trusted: bool = True) -> Outcome:
        """Post to a receiver that shows the certificate of one name, asked for by another."""
        served, known = contexts(of)
        with receiving(context=served) as receiver:
            sender = Sender(
                entries(f"{asked}:{receiver.port}=127.0.0.0/8"),
                resolve=Resolver(["127.0.0.1"]),
                context=known if trusted else None,
            )
            url = receiver.url(host=asked, scheme="https")
            outcome = sender.post(url, headers={}, body=b"{}")
            assert len(receiver.requests) == (outcome.status is not None)
            return outcome

    def test_the_certificate_is_verified_against_the_name(self) -> None:
        assert self.secured(of=NAME, asked=NAME) == Outcome(status=204)

    def test_one_of_another_name_is_refused(self) -> None:
        outcome = self.secured(of="other.example.com", asked=NAME)
        assert "certificate is not good" in str(outcome.error)

    def test_one_that_nobody_vouches_for_is_refused(self) -> None:
        outcome = self.secured(of=NAME, asked=NAME, trusted=False)
        assert "certificate is not good" in str(outcome.error)

    def test_a_receiver_without_tls_is_told(self) -> None:
        with speaking(b"HTTP/1.1 204 No Content\r\n\r\n") as receiver:
            url = receiver.url(scheme="https")
            outcome = posted(url, allowed=f"127.0.0.1:{receiver.port}")
        assert outcome.error == "the receiver does not speak TLS"

    def test_certificates_are_asked_for_unless_a_test_says_otherwise(self) -> None:
        context = Sender(())._context
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


HEAD = b"HTTP/1.1 200 OK\r\n"


class TestBadReceivers:
    def test_nobody_listening_is_told(self) -> None:
        with receiving() as receiver:
            pass
        assert to(receiver).error == "the receiver cannot be connected to"

    @pytest.mark.parametrize(
        "garbage",
        [b"\x00\xff" * 50, b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", HEAD[:-2] * 9000],
    )
    def test_garbage_is_told(self, garbage: bytes) -> None:
        with speaking(garbage) as receiver:
            outcome = to(receiver)
        assert outcome == Outcome(error="the receiver did not answer as a web server does")

    def test_silence_ends(self) -> None:
        began = time.monotonic()
        with speaking() as receiver:
            assert to(receiver, limits=QUICK).error == "the receiver took too long"
        assert time.monotonic() - began < QUICK.read + SLACK

    @pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"X: "])
    def test_so_does_an_answer_byte_by_byte(self, start: bytes) -> None:
        began = time.monotonic()
        with speaking(start, b"H", pause=0.1, forever=True) as receiver:
            assert to(receiver, limits=QUICK).status is None
        assert time.monotonic() - began < QUICK.total + SLACK

    def test_a_flood_of_interim_answers_ends(self) -> None:
        began = time.monotonic()
        with speaking(b"HTTP/1.1 102 Processing\r\n\r\n", pause=0.01, forever=True) as receiver:
            assert to(receiver, limits=QUICK).status is None
        assert time.monotonic() - began < QUICK.total + SLACK

    def test_of_a_huge_body_little_is_read_and_the_status_counts(self) -> None:
        began = time.monotonic()
        head = HEAD + b"Content-Length: 1000000000000\r\n\r\n"
        with speaking(head, b"x" * 100_000, forever=True) as receiver:
            assert to(receiver) == Outcome(status=200)
        assert time.monotonic() - began < SLACK

    @pytest.mark.parametrize("body", [b"", b"ffffffffffffffffff\r\n", b"zz\r\n"])
    def test_a_body_that_never_ends_or_is_none_does_not_matter(self, body: bytes) -> None:
        with speaking(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body) as receiver:
            assert to(receiver, limits=BRIEF) == Outcome(status=200)

    def test_a_compressed_body_is_not_unpacked(self) -> None:
        head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nwrong"
        with speaking(head) as receiver:
            assert to(receiver, limits=BRIEF) == Outcome(status=200)

    def test_a_resolver_that_takes_all_the_time_leaves_none_to_post(self) -> None:
        with receiving() as receiver:

            def slow(_host: str, _port: int) -> list[str]:
                time.sleep(0.3)
                return ["127.0.0.1"]

            allowed = entries(f"http://127.0.0.1:{receiver.port}")
            sender = Sender(allowed, resolve=slow, limits=Limits(total=0.2))
            outcome = sender.post(receiver.url(), headers={}, body=b"")
        assert outcome.error == "the receiver took too long"
        assert receiver.requests == []
