"""What finance looks at: rates that move, an hour that waits for its own, verifications of the books."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.stage import Books
from gallery.weeks import LAST_HOUR, NOW, Weeks
from portal.pages import hours
from portal.runtime import runtime
from portal.services import conversions, verification, verifications
from portal.services.demo import convert_now

FAR = "0.21"
"""Further from the rate before than a rate may move by itself."""
TAMPER = """
UPDATE ledger.postings SET amount = amount + {}
WHERE owner_id = %s AND line = 1 AND seq = (SELECT last_seq FROM ledger.owners WHERE owner_id = %s)
"""


def make(books: Books, weeks: Weeks) -> dict[str, str]:
    """Fill the books with it; what stands in addresses."""
    _wait(books)
    _tamper(books, weeks.ida, 1)
    differs = _verify(weeks, NOW - timedelta(seconds=99))
    _tamper(books, weeks.ida, -1)
    _verify(weeks, NOW - timedelta(seconds=21))
    weeks.set(NOW)
    return {
        "waiting": hours.name(LAST_HOUR),
        "converted": hours.name(LAST_HOUR - timedelta(hours=1)),
        "verification": str(differs),
    }


def _wait(books: Books) -> None:
    """The last hour's rate is asked for, and is not taken."""
    before = runtime()
    with _source() as url:
        settings = replace(before.settings, rate_source="http", rate_url=url)
        books.app.extensions["dreamland"] = replace(before, settings=settings)
        conversions.convert_due(convert_now, wait=True)
        books.app.extensions["dreamland"] = before


@contextmanager
def _source() -> Iterator[str]:
    """A rate API that says FAR of every time."""
    server = HTTPServer(("127.0.0.1", 0), _Far)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rate"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Far(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer in the agreed form."""
        at = parse_qs(urlsplit(self.path).query)["at"][0]
        body = json.dumps({"rate": FAR, "at": at}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing."""


def _tamper(books: Books, owner_id: int, units: int) -> None:
    """Change the newest win behind everybody's back."""
    with books.owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(TAMPER.format(units), (owner_id, owner_id))


def _verify(weeks: Weeks, at: datetime) -> int:
    """Verify the books at a time; it takes three seconds by the clock."""
    weeks.set(at)
    verification.verify(lambda _: weeks.set(at + timedelta(seconds=3, milliseconds=140)))
    newest = verifications.newest()[1]
    assert newest is not None
    return newest.id
