"""export: postings as CSV over HTTP, as a member of staff downloads them from a web process of the Procfile.

The reference reads the same rows with one COPY and nothing else. The other formats are asked for once, the
workbook of one ledger, half of the rows; the web process's memory is its peak over all of it.
"""

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from bench import history, people, processes, stage
from bench.busy import PASSWORD, signed_in
from bench.figures import Figure, failed, mean, median, say
from bench.machine import watched
from portal import ledger
from portal.runtime import runtime
from portal.services.accounts import passwords, sign_ins

MOST_MB = 200
ABOVE = 5
"""Lines of a CSV that are no row: its stamp and its header."""
COPY = """
COPY (SELECT * FROM ledger.entries e JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq)
TO STDOUT (FORMAT csv)
"""
ADDRESS = "/journals/file?ledger={}&first={}&last={}&format={}"


@dataclass(frozen=True, slots=True)
class Size:
    """A win has two postings. The figures are of the median pass."""

    users: int = 50_000
    postings: int = 1_000_000
    passes: int = 3


@dataclass(slots=True)
class Taken:
    """What became of a download: seconds, bytes and lines."""

    seconds: float = 0.0
    size: int = 0
    lines: int = 0

    def write(self, piece: bytes) -> None:
        """Count a piece."""
        self.size += len(piece)
        self.lines += piece.count(b"\n")


def run(size: Size) -> Iterator[Figure]:
    """Rows a second as CSV, after rows a second read; then what the other formats take."""
    with stage.server() as server, stage.books(server) as books:
        day = _prepare(books, size)
        rows = int(books.ask("SELECT count(*) FROM ledger.postings"))
        headers = {"Cookie": _cookie(books)}
        takes, references, others = [], [], []
        with processes.web(books, 1, "wsgi:app") as address:
            for n in range(size.passes):
                references.append(rows / _read_seconds(books))
                with watched() as share:
                    takes.append(_get(address, ADDRESS.format("", *day, "csv"), headers))
                others.append(share.others)
                say(
                    f"pass {n + 1}: {rows / takes[-1].seconds:,.0f}/s, read {references[-1]:,.0f}/s"
                )
            csv_peak = _peak_mb()
            yield from _other_formats(address, day, headers, rows)
            peak = _peak_mb()
    yield Figure("export-read", median(references), "rows/s")
    checked: dict[str, object] = {
        "lost": sum(abs(rows + ABOVE - taken.lines) for taken in takes),
        f"within_{MOST_MB}_mb": peak <= MOST_MB,
    }
    wrong = failed(checked)
    checked |= {
        "rows": rows,
        "mb": takes[0].size // 10**6,
        "csv_peak_mb": csv_peak,
        "peak_mb": peak,
    }
    rate = median([rows / taken.seconds for taken in takes])
    yield Figure("export", rate, "rows/s", median(references), checked, mean(others), wrong)


def _prepare(books: stage.Books, size: Size) -> tuple[str, str]:
    """Wins of the hour before last; the first and last day that they are of."""
    say(f"making books of {size.postings:,} postings")
    people.settle(books, size.users)
    with books.runtime.engine.connect() as connection:
        hour = ledger.now(connection).replace(minute=0, second=0, microsecond=0) - 2 * ledger.HOUR
    end = hour + timedelta(minutes=50)
    history.write(books, size.users, size.postings // 2, hour, end)
    return _day(hour), _day(end)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _cookie(books: stage.Books) -> str:
    """Of a browser that a viewer is signed in with."""
    with books.app.app_context(), runtime().engine.begin() as connection:
        hashed = passwords.hash_of(PASSWORD)
        made = sign_ins.add(
            connection, "viewer@bench.example", hashed, role="viewer", name="Viewer"
        )
    return signed_in(books, made)


def _read_seconds(books: stage.Books) -> float:
    """How long it takes to read the same rows."""
    taken = Taken()
    with books.owner() as cursor:
        began = time.monotonic()
        cursor.copy_expert(COPY, taken)
        return time.monotonic() - began


def _get(address: tuple[str, int], path: str, headers: Mapping[str, str]) -> Taken:
    """Download a file, to its end."""
    taken = Taken()
    with closing(http.client.HTTPConnection(*address, timeout=600)) as connection:
        began = time.monotonic()
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.OK, answer.status
        while piece := answer.read(1 << 20):
            taken.write(piece)
        taken.seconds = time.monotonic() - began
    return taken


def _other_formats(
    address: tuple[str, int], day: tuple[str, str], headers: Mapping[str, str], rows: int
) -> Iterator[Figure]:
    for form, code, count in (
        *(("beancount", "", rows), ("hledger", "", rows)),
        ("xlsx", "DREAM", rows // 2),
    ):
        taken = _get(address, ADDRESS.format(code, *day, form), headers)
        found = {"mb": taken.size // 10**6, "peak_mb": _peak_mb()}
        yield Figure(f"export-{form}", count / taken.seconds, "rows/s", checked=found)


def _peak_mb() -> int:
    """The most memory that a web process had until now."""
    children = psutil.Process().children(recursive=True)
    return max(
        _high_water(child.pid) for child in children if "granian" in " ".join(child.cmdline())
    )


def _high_water(pid: int) -> int:
    """In millions of bytes, as Linux counts what a process had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kilobytes) * 1024 // 10**6
