"""Seals: what may be read and made by this app alone, by AES-SIV with a key for each purpose.

The keys are derived from SECRET_KEY. The same bytes for the same purpose and place are the same seal.
"""

import hmac
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def seal(secret: str, purpose: str, place: str, content: bytes) -> bytes:
    """The content, sealed. `place` is where it belongs: elsewhere it can't be opened."""
    return _cipher(secret, purpose).encrypt(content, [place.encode()])


def unseal(secret: str, purpose: str, place: str, sealed: bytes) -> bytes:
    """The content again. Raises ValueError for what was not sealed for that purpose and place."""
    try:
        return _cipher(secret, purpose).decrypt(sealed, [place.encode()])
    except (InvalidTag, ValueError):
        raise ValueError("not sealed here") from None


def digest(secret: str, purpose: str, content: str) -> str:
    """A name for a content that tells nothing of it to who has not SECRET_KEY: 32 hex digits."""
    return hmac.digest(_key(secret, purpose), content.encode(), "sha256")[:16].hex()


@lru_cache(maxsize=16)
def _cipher(secret: str, purpose: str) -> AESSIV:
    return AESSIV(_key(secret, purpose))


def _key(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), purpose.encode(), "sha512")
