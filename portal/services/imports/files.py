"""A file of wins as it comes in: split into chunks of lines, or refused where it is none as a whole.

It is read piece by piece; what is kept until its end are the chunks, compressed. A line ends with LF
or CRLF and is a record: no value of a win may have a line break, so a stray quote harms its own line
only. Whether a line is a win is not asked here: a hundred thousand of them would keep a request waiting.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from portal.ledger.errors import Refused
from portal.services.imports import lines

Format = Literal["csv", "jsonl"]
MAX_LINE = 16 * 1024
"""Bytes: no win that could be booked takes more than 7,000, however it is written."""
BOM = b"\xef\xbb\xbf"
FASTEST = 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file; `first_line` is the number of the first in it, `lines` counts wins."""

    number: int
    first_line: int
    lines: int
    packed: bytes

    @property
    def content(self) -> str:
        """The lines, below the header where the format has one."""
        return zlib.decompress(self.packed).decode()


@dataclass(slots=True)
class File:
    """A file of wins that was read to its end. `digest` tells it from any other."""

    format: Format
    max_lines: int
    chunk_lines: int
    digest: bytes = b""
    lines: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    _header: str | None = None
    _read: int = 0

    def read(self, pieces: Iterable[bytes]) -> None:
        """Take the file apart. Raises Refused for one that is no file of wins, or has too many."""
        known = sha256(self.format.encode() + b"\n")
        batch: list[bytes] = []
        for line in _lines(_known(pieces, known)):
            batch.append(line)
            if len(batch) == self.chunk_lines:
                self._keep(batch)
                batch = []
        self._keep(batch)
        if not self.lines:
            raise Refused("validation_failed", "the file has no wins", param="file")
        self.digest = known.digest()

    def _keep(self, batch: list[bytes]) -> None:
        first = self._read + 1
        self._read += len(batch)
        if self._read > self.max_lines:
            detail = f"an import has at most {self.max_lines:,} lines: split the file"
            raise Refused("payload_too_large", detail)
        if first == 1 and batch:
            batch[0] = batch[0].removeprefix(BOM)
        texts = [_text(first + n, line) for n, line in enumerate(batch)]
        if self.format == "csv" and first == 1 and texts:
            self._header = ",".join(lines.header(texts.pop(0)))
            first += 1
        wins = sum(not lines.is_blank(text) for text in texts)
        if wins:
            whole = texts if self._header is None else [self._header, *texts]
            packed = zlib.compress("\n".join(whole).encode(), FASTEST)
            self.chunks.append(Chunk(len(self.chunks) + 1, first, wins, packed))
            self.lines += wins


def _known(pieces: Iterable[bytes], known: Any) -> Iterator[bytes]:
    for piece in pieces:
        known.update(piece)
        yield piece


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE:
            break
    if rest:
        yield rest


def _text(number: int, line: bytes) -> str:
    if len(line) > MAX_LINE:
        raise Refused(
            "validation_failed", f"line {number} is longer than {MAX_LINE:,} bytes", param="file"
        )
    try:
        text = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise Refused("validation_failed", f"line {number} is not UTF-8", param="file") from None
    if "\0" in text:
        raise Refused("validation_failed", f"line {number} has a NUL character", param="file")
    return text
