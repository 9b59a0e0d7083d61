"""Randomness that is the same in every run, so that a picture changes only when its page does."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pyotp

from gallery.weeks import NOW
from jobs import office
from portal.api import records
from portal.services.accounts import recovery_codes
from portal.services.clients import keys

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the gallery alone
REQUEST_ID = "5e1f0c3a9b7d4286a1c5e9d27f40b638"


class _Secrets:
    """What recovery codes and API keys are drawn from."""

    def __init__(self) -> None:
        self._drawn = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(secrets, name)

    def token_urlsafe(self, count: int) -> str:
        self._drawn += 1
        return urlsafe_b64encode(Random(self._drawn).randbytes(count)).rstrip(b"=").decode()

    def token_bytes(self, count: int) -> bytes:
        self._drawn = (self._drawn + 1) % recovery_codes.COUNT  # the same codes each time
        return Random(self._drawn).randbytes(count)


@contextmanager
def steady() -> Iterator[None]:
    """What a page shows of chance is fixed in the block: request ids, codes, the second factor's secret."""
    before = (
        records.token_hex,
        recovery_codes.secrets,
        pyotp.random_base32,
        keys.secrets,
        office.now,
    )
    records.token_hex = lambda _: REQUEST_ID
    recovery_codes.secrets = _Secrets()
    pyotp.random_base32 = lambda: SECRET
    keys.secrets = _Secrets()
    office.now = lambda: NOW
    try:
        yield
    finally:
        records.token_hex, recovery_codes.secrets, pyotp.random_base32 = before[:3]
        keys.secrets, office.now = before[3:]
