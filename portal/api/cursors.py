"""Cursors: a place in a list, sealed. Whoever is given one can neither read it nor make another.

The place may be that of an entry that the client must not see, so it is not only signed. The seal is
the text's own: the same place in the same list is the same cursor, and one that was changed does not
fit its text. A cursor's length tells nothing of the numbers in it.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import shake_256
from typing import Any

BLOCK = 96
"""Bytes to which a place is filled up: a multiple of three, so that base64 needs no padding."""
SEAL = 24


def seal(secret: str, name: str, place: Any) -> str:
    """The cursor of a place, a JSON value, in the list called `name`."""
    text = json.dumps(place, separators=(",", ":")).encode()
    text = text.ljust(len(text) + -len(text) % BLOCK)
    mark = _keyed(secret, f"seal:{name}", text)[:SEAL]
    return urlsafe_b64encode(mark + _crossed(secret, name, mark, text)).decode()


def unseal(secret: str, name: str, cursor: str) -> Any:
    """The place again. Raises ValueError for what is no cursor of that list."""
    sealed = urlsafe_b64decode(cursor)
    mark, text = sealed[:SEAL], _crossed(secret, name, sealed[:SEAL], sealed[SEAL:])
    is_ours = hmac.compare_digest(mark, _keyed(secret, f"seal:{name}", text)[:SEAL])
    if not is_ours or urlsafe_b64encode(sealed).decode() != cursor:  # base64 reads over odd letters
        raise ValueError("not sealed here")
    return json.loads(text)


def _crossed(secret: str, name: str, mark: bytes, text: bytes) -> bytes:
    """The text made unreadable, or readable again."""
    stream = shake_256(_keyed(secret, f"stream:{name}", mark)).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _keyed(secret: str, use: str, text: bytes) -> bytes:
    key = hmac.digest(secret.encode(), f"cursor:{use}".encode(), "sha256")
    return hmac.digest(key, text, "sha256")
