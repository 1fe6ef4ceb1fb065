"""Signatures: as the specification's own example has them, and refused if anything differs."""

import json

import pytest

from service.signatures import SIGNATURE
from service.signatures import TIMESTAMP
from service.signatures import WebhookNotVerified
from service.signatures import signed
from service.signatures import tenant_secret
from service.signatures import verify_webhook

#: the example that the specification's libraries test with
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - published
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
NOW = 1_614_265_330.0
BODY = b'{"test": 2432232314}'
KNOWN = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OTHER = tenant_secret("another deployment's", "vision")


def headers(*secrets: str, at: float = NOW) -> dict[str, str]:
    return signed(BODY, message=MESSAGE, secrets=secrets or (SECRET,), now=at)


class TestSigned:
    def test_the_specifications_example_is_signed_as_published(self) -> None:
        assert headers() == {
            "webhook-id": MESSAGE,
            "webhook-timestamp": "1614265330",
            "webhook-signature": KNOWN,
        }


class TestVerifyWebhook:
    def test_what_was_signed_is_read(self) -> None:
        shown = {name.title(): value for name, value in headers().items()}
        assert verify_webhook(shown, BODY, secret=SECRET, now=lambda: NOW) == json.loads(BODY)

    def test_during_a_rotation_either_secret_does(self) -> None:
        both = headers(OTHER, SECRET)
        for secret in (SECRET, OTHER):
            assert verify_webhook(both, BODY, secret=secret, now=lambda: NOW)

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_what_is_not_recent_is_refused(self, seconds: float) -> None:
        with pytest.raises(WebhookNotVerified, match="clocks"):
            verify_webhook(headers(), BODY, secret=SECRET, now=lambda: NOW + seconds)

    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_clocks_may_differ_a_little(self, seconds: float) -> None:
        assert verify_webhook(headers(), BODY, secret=SECRET, now=lambda: NOW + seconds)

    @pytest.mark.parametrize(
        "changed",
        [
            {"webhook-id": "msg_other"},
            {"webhook-timestamp": "1614265331"},
            {"webhook-signature": KNOWN.replace("v1,g", "v1,h")},
            {"webhook-signature": KNOWN.replace("v1", "v2")},
            {"webhook-signature": ""},
            {"webhook-signature": "v1,\u00e9"},
        ],
        ids=lambda changed: str(*changed),
    )
    def test_a_changed_header_is_refused(self, changed: dict[str, str]) -> None:
        with pytest.raises(WebhookNotVerified, match="no signature fits"):
            verify_webhook(headers() | changed, BODY, secret=SECRET, now=lambda: NOW)

    def test_a_changed_body_is_refused(self) -> None:
        with pytest.raises(WebhookNotVerified):
            verify_webhook(headers(), BODY + b" ", secret=SECRET, now=lambda: NOW)

    def test_another_secret_is_refused(self) -> None:
        with pytest.raises(WebhookNotVerified):
            verify_webhook(headers(), BODY, secret=OTHER, now=lambda: NOW)

    @pytest.mark.parametrize("secret", ["whsec_no base64", "whsec_é", "whsec_abc"])
    def test_what_is_no_secret_is_told(self, secret: str) -> None:
        with pytest.raises(WebhookNotVerified, match="whsec_ and base64"):
            verify_webhook(headers(), BODY, secret=secret, now=lambda: NOW)

    @pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA"])
    def test_a_secret_that_anybody_has_verifies_nothing(self, secret: str) -> None:
        with pytest.raises(WebhookNotVerified, match="empty or too short"):
            verify_webhook(headers(), BODY, secret=secret, now=lambda: NOW)

    @pytest.mark.parametrize("name", [TIMESTAMP, SIGNATURE])
    def test_an_unsigned_request_is_refused(self, name: str) -> None:
        shown = headers()
        del shown[name]
        with pytest.raises(WebhookNotVerified, match=f"no {name}"):
            verify_webhook(shown, BODY, secret=SECRET, now=lambda: NOW)

    @pytest.mark.parametrize("stamp", ["", "now", "-1614265330", "1614265330.5", "9" * 400])
    def test_a_time_that_is_none_is_refused(self, stamp: str) -> None:
        with pytest.raises(WebhookNotVerified, match="clocks"):
            verify_webhook(headers() | {TIMESTAMP: stamp}, BODY, secret=SECRET, now=lambda: NOW)


class TestTenantSecret:
    def test_each_tenant_of_each_deployment_has_its_own(self) -> None:
        found = {tenant_secret(d, t) for d in ("one", "two") for t in ("vision", "audio")}
        assert len(found) == 4
        assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in found)

    def test_it_stays_the_same(self) -> None:
        # receivers hold it: a release that derives another locks them all out
        expected = "whsec_OG1QQdhG0wZTVPjzxyxJ7GMPdlTthbub1wc4cKlXIMU="
        assert tenant_secret("the same forever", "vision") == expected
