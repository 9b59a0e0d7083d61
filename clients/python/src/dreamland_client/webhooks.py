"""Verifies webhooks: the Standard Webhooks scheme, for one secret or the two of a rotation.

Not by the `standardwebhooks` package: it takes one secret, a fixed tolerance, and fails with errors
of its own on headers that are nonsense. The tests hold this against it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal

from dreamland_client.errors import WebhookError
from dreamland_client.events import Event, event

PREFIX = "whsec_"
TOLERANCE_S = 300
TIMESTAMP = re.compile("[0-9]{1,12}", re.ASCII)


def verify(
    payload: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> Event:
    """The event that a webhook brings. Raises WebhookError for one that the server did not sign.

    `payload` is the body as it came, byte for byte. `secrets` are those in force: while one is
    replaced, both. A signature older than `tolerance_s` is refused, so that none can be sent again.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, sent_at = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split()
    except KeyError as missing:
        raise WebhookError(f"the header {missing} is missing") from None
    if not TIMESTAMP.fullmatch(sent_at):
        raise WebhookError("webhook-timestamp is no time")
    signed = _encoded(f"{event_id}.{sent_at}.") + payload
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    if not any(_is_signed(signed, signatures, secret) for secret in known):
        raise WebhookError("no signature is of a secret that is known")
    if abs((time.time() if now is None else now) - int(sent_at)) > tolerance_s:
        raise WebhookError("it was signed too long ago, or in the future: is the clock right?")
    try:
        found = event(json.loads(payload, parse_float=Decimal))
    except (ValueError, RecursionError):
        raise WebhookError("the body is not JSON") from None
    if found.id != event_id:
        raise WebhookError("webhook-id is not the event's")
    return found


def _is_signed(signed: bytes, signatures: Sequence[str], secret: str) -> bool:
    expected = hmac.new(_bytes_of(secret), signed, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(expected).decode()
    return any(hmac.compare_digest(wanted.encode(), _encoded(each)) for each in signatures)


def _encoded(header: str) -> bytes:
    """What is no text too: a server may pass on bytes that are not UTF-8 as lone surrogates."""
    return header.encode(errors="surrogatepass")


def _bytes_of(secret: str) -> bytes:
    try:
        known = base64.b64decode(secret.removeprefix(PREFIX) + "==")
    except (ValueError, binascii.Error):
        known = b""
    if not known:
        raise ValueError("a secret is as it was shown: whsec_…")
    return known
