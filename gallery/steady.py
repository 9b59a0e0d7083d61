"""Randomness that is the same in every run, so that a picture changes only when its page does."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pyotp

from portal.api import records
from portal.services.accounts import recovery_codes

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the gallery alone
REQUEST_ID = "5e1f0c3a9b7d4286a1c5e9d27f40b638"


class _Secrets:
    """What the recovery codes are drawn from."""

    def __init__(self) -> None:
        self._drawn = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(secrets, name)

    def token_bytes(self, count: int) -> bytes:
        self._drawn = (self._drawn + 1) % recovery_codes.COUNT  # the same codes each time
        return Random(self._drawn).randbytes(count)


@contextmanager
def steady() -> Iterator[None]:
    """What a page shows of chance is fixed in the block: request ids, codes, the second factor's secret."""
    before = records.token_hex, recovery_codes.secrets, pyotp.random_base32
    records.token_hex = lambda _: REQUEST_ID
    recovery_codes.secrets = _Secrets()
    pyotp.random_base32 = lambda: SECRET
    try:
        yield
    finally:
        records.token_hex, recovery_codes.secrets, pyotp.random_base32 = before
