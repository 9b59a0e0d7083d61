"""Lines of a file of wins: CSV below its header, or a JSON object each."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from portal.ledger.errors import LedgerError, Refused
from portal.services import strict_json
from portal.services.win_items import Check, parse
from portal.services.wins import WinRequest

COLUMNS = ("user_id", "idempotency_key", "amount", "occurred_at", "game", "reference")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number in the file, and the win it asks for or what is wrong with it."""

    number: int
    text: str
    win: WinRequest | LedgerError


def header(text: str) -> list[str]:
    """The columns that a header names, each of COLUMNS once. Raises Refused('validation_failed')."""
    names = _fields(text)
    if set(names) != set(COLUMNS) or len(names) != len(COLUMNS):
        detail = f"the first line must name the columns {', '.join(COLUMNS)}, each once"
        raise Refused("validation_failed", detail, param="file")
    return names


def is_blank(text: str) -> bool:
    """Whether a line says nothing: it is passed over."""
    return not text.strip()


def read(form: str, first_line: int, content: str, check: Check | None) -> Iterator[Line]:
    """The wins of a chunk, in the order of the file."""
    names = header(content.partition("\n")[0]) if form == "csv" else None
    for number, text in texts(form, first_line, content):
        yield Line(number, text, _win(text, names, check))


def texts(form: str, first_line: int, content: str) -> list[tuple[int, str]]:
    """The lines of a chunk that say something, as they were sent, with their numbers."""
    sent = content.split("\n")[form == "csv" :]
    return [(n, text) for n, text in enumerate(sent, start=first_line) if not is_blank(text)]


def _win(text: str, names: list[str] | None, check: Check | None) -> WinRequest | LedgerError:
    try:
        item = _object(text) if names is None else _record(text, names)
    except Refused as refused:
        return refused
    return parse(item, check)


def _object(text: str) -> object:
    return strict_json.loads(text)


def _record(text: str, names: list[str]) -> dict[str, str]:
    values = _fields(text)
    if len(values) != len(names):
        detail = f"the line has {len(values)} values, the header {len(names)} columns"
        raise Refused("validation_failed", detail)
    return dict(zip(names, values, strict=True))


def _fields(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise Refused("validation_failed", "the line is not CSV: see to its quotes") from None
