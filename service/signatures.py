"""Signatures of webhooks, made and verified by the Standard Webhooks specification.

Receivers call `verify_webhook`; it needs nothing but Python.
"""

import hashlib
import hmac
import json
import re
import time
from base64 import b64decode
from base64 import b64encode
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

#: tells secret scanners and people what they have found
SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret itself
TOLERANCE = 300.0  # seconds that the clocks of sender and receiver may differ, transport included
SHORTEST_KEY = 16  # bytes

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_VERSION = "v1"


class WebhookNotVerified(Exception):
    """The request is not what its sender signed just now; answer 400 and do nothing else."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this webhook cannot be trusted: {why}")


def tenant_secret(secret: str, tenant: str) -> str:
    """Return the secret that a tenant's receivers verify with, of the deployment's own.

    Nobody can tell from one tenant's what another's is, and none is stored anywhere.
    """
    key = hmac.digest(secret.encode(), f"bitfloor webhooks: {tenant}".encode(), "sha256")
    return SECRET_PREFIX + b64encode(key).decode()


def signed(body: bytes, *, message: str, secrets: Sequence[str], now: float) -> dict[str, str]:
    """Return the headers that sign the body; every secret signs, for receivers that know one."""
    stamp = str(int(now))
    signatures = [_signature(secret, f"{message}.{stamp}.".encode() + body) for secret in secrets]
    return {ID: message, TIMESTAMP: stamp, SIGNATURE: " ".join(signatures)}


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    tolerance: float = TOLERANCE,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Return the document of a webhook that is what its sender signed, and recent.

    `headers` and `body` are those of the request, the body as the bytes that arrived; `secret` is
    what `bitfloor webhook secret` printed. An event may arrive more than once, each time with the
    same webhook-id among the headers. Raises WebhookNotVerified.
    """
    found = {name.lower(): value for name, value in headers.items()}
    if missing := [name for name in (ID, TIMESTAMP, SIGNATURE) if name not in found]:
        raise WebhookNotVerified(f"it has no {' and no '.join(missing)}")
    stamp = found[TIMESTAMP]
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now() - int(stamp)) > tolerance:
        raise WebhookNotVerified("its time is not the present; compare the clocks")
    expected = _signature(secret, f"{found[ID]}.{stamp}.".encode() + body).encode()
    # each is compared to its end, so that the time taken tells nothing
    matches = [hmac.compare_digest(one.encode(), expected) for one in found[SIGNATURE].split(" ")]
    if not any(matches):
        raise WebhookNotVerified("no signature fits; compare the secrets")
    document: dict[str, Any] = json.loads(body)
    return document


def _signature(secret: str, content: bytes) -> str:
    try:
        key = b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:
        raise WebhookNotVerified("the secret is none; it reads whsec_ and base64") from error
    if len(key) < SHORTEST_KEY:
        # an empty one too, as of a variable that nobody set: anybody could sign with it
        raise WebhookNotVerified("the secret is empty or too short; look where it comes from")
    mac = hmac.new(key, content, hashlib.sha256).digest()
    return f"{_VERSION},{b64encode(mac).decode()}"
