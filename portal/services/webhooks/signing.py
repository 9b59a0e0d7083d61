"""Secrets and signatures, as Standard Webhooks has them. No secret is stored: it follows from SECRET_KEY."""

import hmac
from base64 import b64encode
from hashlib import sha256

PREFIX = "whsec_"


def secret(secret_key: str, endpoint_id: int, version: int) -> bytes:
    """The secret of an endpoint; each rotation has a version of its own."""
    name = f"webhook:{endpoint_id}:{version}"
    return hmac.new(secret_key.encode(), name.encode(), sha256).digest()


def shown(key: bytes) -> str:
    """A secret as its owner is told it."""
    return PREFIX + b64encode(key).decode()


def headers(event_id: str, at: int, body: bytes, keys: list[bytes]) -> dict[str, str]:
    """The headers of a message sent at a time in seconds: a signature by each secret in force."""
    signed = f"{event_id}.{at}.".encode() + body
    signatures = (b64encode(hmac.new(key, signed, sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
