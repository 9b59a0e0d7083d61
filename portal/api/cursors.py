"""Cursors: a place in a list, sealed. Whoever is given one can neither read it nor make another.

The place may be that of an entry that the client must not see, so it is not only signed. The same place in
the same list is the same cursor (AES-SIV), and a cursor's length tells nothing of the numbers in it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from portal.services import seals

PURPOSE = "cursors"
BLOCK, SPARE = 96, 1
"""Bytes to which a place is filled up, less one: with the seal's 16, base64 needs no padding then."""


def seal(secret: str, name: str, place: Any) -> str:
    """The cursor of a place, a JSON value, in the list called `name`."""
    text = json.dumps(place, separators=(",", ":")).encode()
    text = text.ljust(len(text) + -(len(text) + SPARE) % BLOCK)
    return urlsafe_b64encode(seals.seal(secret, PURPOSE, name, text)).decode()


def unseal(secret: str, name: str, cursor: str) -> Any:
    """The place again. Raises ValueError for what is no cursor of that list."""
    sealed = urlsafe_b64decode(cursor)
    if urlsafe_b64encode(sealed).decode() != cursor:  # base64 reads over odd letters
        raise ValueError("not sealed here")
    return json.loads(seals.unseal(secret, PURPOSE, name, sealed))
