"""What every call goes through: its path, its key, its answer, its pages, and what was remembered."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

from dreamland_client.errors import BadAnswer
from dreamland_client.holdings import Moved
from dreamland_client.reading import member, read, read_list
from dreamland_client.transport import NOT_MODIFIED, Answer, Request, Transport

T = TypeVar("T")
KEY = re.compile(r"[\x21-\x7e]{1,255}")
ROOT = "/api/v1"


class Remembered:
    """The last answers to reads with their ETags, so that an unchanged one need not be sent again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def tag(self, address: str) -> tuple[str, Any] | None:
        """The ETag of an address and what it answered."""
        with self._lock:
            return self._known.get(address)

    def keep(self, address: str, tag: str | None, answer: Any) -> None:
        """Take an answer in; the one that was longest unused goes."""
        if tag is None or self._size == 0:
            return
        with self._lock:
            self._known[address] = (tag, answer)
            self._known.move_to_end(address)
            while len(self._known) > self._size:
                self._known.popitem(last=False)


class Calls:
    """Sends for the modules beside this one."""

    def __init__(self, transport: Transport, remembered: Remembered) -> None:
        self._transport = transport
        self._remembered = remembered

    def _get(self, address: str, query: Mapping[str, str | None] | None = None) -> Any:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        name = f"{address}?{urlencode(asked)}"
        known = self._remembered.tag(name)
        headers = {"If-None-Match": known[0]} if known else {}
        answer = self._transport.call(Request("GET", address, asked, headers=headers))
        if known and answer.status == NOT_MODIFIED:
            return known[1]
        self._remembered.keep(name, answer.headers.get("etag"), answer.json)
        return answer.json

    def _send(self, method: str, address: str, body: Mapping[str, Any], **options: Any) -> Answer:
        content = json.dumps(given(body)).encode()
        return self._transport.call(Request(method, address, body=content, **options))

    def _booked(
        self, kind: type[T], address: str, body: Mapping[str, Any], idempotency_key: str | None
    ) -> T:
        """Send what moves value; the answer says its key, and whether it was booked before."""
        key = checked_key(idempotency_key)
        answer = self._send("POST", address, body, key=key)
        is_replayed = answer.headers.get("idempotent-replayed") == "true"
        try:
            made = read(kind, answer.json)
        except BadAnswer as error:
            error.idempotency_key = key
            raise
        return replace(made, is_replayed=is_replayed, idempotency_key=key)  # type: ignore[type-var]

    def _moved(self, address: str, body: Mapping[str, Any], idempotency_key: str | None) -> Moved:
        return self._booked(Moved, address, body, idempotency_key)

    def _listed(self, kind: type[T], address: str, name: str, limit: int) -> Iterator[T]:
        """Every row of a list, fetched a page at a time."""
        cursor: str | None = None
        while True:
            page = self._get(address, {"cursor": cursor, "limit": str(limit)})
            yield from read_list(kind, page, name)
            cursor = member(page, "next_cursor")
            if cursor is None:
                return


def path(*parts: str) -> str:
    """An address below /api/v1; a part can't reach another one."""
    for part in parts:
        if type(part) is not str or part in ("", ".", ".."):
            raise ValueError(f"{part!r} is no id: ids are strings")
    return "/".join([ROOT, *(quote(part, safe="") for part in parts)])


def new_key() -> str:
    """A key that was never used."""
    return str(uuid4())


def checked_key(key: str | None) -> str:
    """The caller's key, or a new one. Raises ValueError for one that the server would refuse."""
    if key is None:
        return new_key()
    if not KEY.fullmatch(key):
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters")
    return key


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the caller gave."""
    return {name: value for name, value in body.items() if value is not None}
