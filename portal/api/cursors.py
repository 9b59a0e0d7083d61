"""Cursors: a place in a list, sealed. Whoever is given one can neither read it nor make another.

The place may be that of an entry that the client must not see, so it is not only signed. A cursor's length
tells nothing of the numbers in it.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

BLOCK, SPARE = 96, 1
"""Bytes to which a place is filled up, less one that the cipher adds: then base64 needs no padding."""


def seal(secret: str, name: str, place: Any) -> str:
    """The cursor of a place, a JSON value, in the list called `name`."""
    text = json.dumps(place, separators=(",", ":")).encode()
    text = text.ljust(len(text) + -(len(text) + SPARE) % BLOCK)
    return _cipher(secret, name).encrypt(text).decode()


def unseal(secret: str, name: str, cursor: str) -> Any:
    """The place again. Raises ValueError for what is no cursor of that list."""
    try:
        text = _cipher(secret, name).decrypt(cursor)
        if urlsafe_b64encode(urlsafe_b64decode(cursor)).decode() != cursor:
            raise InvalidToken  # base64 reads over odd letters
    except (InvalidToken, ValueError):
        raise ValueError("not sealed here") from None
    return json.loads(text)


@lru_cache(maxsize=1000)
def _cipher(secret: str, name: str) -> Fernet:
    key = hmac.digest(secret.encode(), f"cursor:{name}".encode(), "sha256")
    return Fernet(urlsafe_b64encode(key))
