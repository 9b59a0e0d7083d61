"""Imports: files of wins, up to 30 days old, that the server books by and by."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Literal

from dreamland_client.calls.base import Calls, checked_key, path
from dreamland_client.errors import BadAnswer, ImportNotDone
from dreamland_client.new_win import NewWin
from dreamland_client.operations import Import
from dreamland_client.reading import member, read
from dreamland_client.transport import Request

CONTENT_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
UPLOAD_S = 300.0
PIECE = 1024 * 1024


class Imports(Calls):
    """Calls about imports."""

    def start_import(
        self,
        content: bytes | Path,
        format: Literal["csv", "jsonl"],  # noqa: A002 - what it is called
        *,
        idempotency_key: str | None = None,
    ) -> Import:
        """Send a file. Its key, where none is given, is its content's: sent again, it is the same."""
        with ExitStack() as opened:
            body: bytes | BinaryIO = content if isinstance(content, bytes) else b""
            if isinstance(content, Path):
                body = opened.enter_context(content.open("rb"))
            request = Request(
                "POST",
                path("imports"),
                body=body,
                content_type=CONTENT_TYPES[format],
                key=checked_key(idempotency_key or _key_of(body)),
                timeout_s=UPLOAD_S,
            )
            told = self._transport.call(request).json
        try:
            return read(Import, member(told, "import"))
        except BadAnswer as error:
            error.idempotency_key = request.key
            raise

    def import_wins(self, wins: Iterable[NewWin], *, idempotency_key: str | None = None) -> Import:
        """Send wins as a file of JSON Lines."""
        content = b"".join(win.line + b"\n" for win in wins)
        return self.start_import(content, "jsonl", idempotency_key=idempotency_key)

    def get_import(self, import_id: str) -> Import:
        """How far an import is. Raises NotFound."""
        return read(Import, member(self._get(path("imports", import_id)), "import"))

    def imports(self, *, page_size: int = 200) -> Iterator[Import]:
        """This client's imports, newest first."""
        return self._listed(Import, path("imports"), "imports", page_size)

    def wait_for_import(
        self,
        import_id: str,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Import], object] = lambda _: None,
        poll_s: float = 1.0,
    ) -> Import:
        """Wait until it is done, telling how far it is. Raises ImportNotDone when time runs out."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            now = self.get_import(import_id)
            on_progress(now)
            if now.is_done:
                return now
            if end is not None and time.monotonic() + poll_s > end:
                raise ImportNotDone(f"{now.processed:,} of {now.lines:,} lines are seen to")
            time.sleep(poll_s)

    def import_report(self, import_id: str) -> bytes:
        """The refused lines as CSV: line, code, detail, param, content."""
        request = Request("GET", path("imports", import_id, "report"), wants_json=False)
        return self._transport.call(request).content


def _key_of(body: bytes | BinaryIO) -> str:
    digest = hashlib.sha256()
    if isinstance(body, bytes):
        digest.update(body)
    else:
        while piece := body.read(PIECE):
            digest.update(piece)
    return f"import:{digest.hexdigest()}"
