"""Holds the books against themselves: reads one instant of them and names each difference.

The checks are the statements in checks/. Most see one range of owners at a time, so that memory
stays flat however long the books are; two connections that share a snapshot go through the ranges,
a core each. Wins may arrive meanwhile. Changes nothing, and knows no table outside the ledger:
whoever keeps totals of its own elsewhere hands in a query for them.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, text

from portal.ledger import install
from portal.ledger.errors import ChartMismatch
from portal.ledger.posting import KIND_IDS

NAMED = 100
"""Differences that a report names; the others it counts."""
RANGE_ENTRIES = 50_000
"""About how many entries a range of owners has. Bigger ones sort slower, smaller ones plan more."""

CHECKS = {
    "chart": "the database's chart of accounts is the one in code",
    "seq": "an owner's entries are numbered 1, 2, 3 ... without gaps",
    "head": "an owner's head says what the last entry says",
    "booked_at": "times of booking never go backwards; postings have their entry's",
    "day": "the day is the user's local date; postings have their entry's",
    "occurred_at": "what has no time of its own occurred when it was booked",
    "accounting_date": "the accounting date is the UTC date of booking",
    "hash": "every entry has the hashes of its key and its request",
    "entry": "every posting belongs to an entry",
    "posting": "every entry has all the postings of its kind",
    "pair": "every posting is a pair that its entry's kind permits",
    "fee": "fees are what the rule in force says",
    "rate": "a conversion is at the rate of its hour, after its end",
    "reversal": "a reversal turns an entry round, exactly and once",
    "balance_after": "the balance after a posting follows from the one before",
    "wallet_balance": "the wallet's balance after a posting follows from all before",
    "hold": "holds are as their entries say, and what is held is what is open",
    "claim": "every top-up has claimed its payment",
    "floor": "no account that may not is below zero",
    "cap": "no day counts more than its limit",
    "account_balance": "account balances are the sums of their postings",
    "daily_balance": "daily balances are the sums of their postings",
    "closed_hour": "closed hours follow each other",
    "closed_total": "closed totals are the sums of all postings until then",
    "late_total": "late totals are the sums of what was booked for an earlier accounting date",
    "fee_total": "totals of fees are the sums of their postings",
    "run_total": "totals kept elsewhere are the sums of their postings",
}
"""What is checked, by the name that a difference carries."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be. `check` is a key of CHECKS."""

    check: str
    owner_id: int | None
    seq: int | None
    detail: str

    def __str__(self) -> str:
        where = "-".join(str(part) for part in (self.owner_id, self.seq) if part is not None)
        return f"{self.check:<16} {where or '-':<20} {self.detail}"


@dataclass
class Report:
    """What was read, in how long, and what differs: `found` in all, the first of them named."""

    postings: int = 0
    entries: int = 0
    owners: int = 0
    seconds: float = 0.0
    found: int = 0
    differences: list[Difference] = field(default_factory=list)

    def is_clean(self) -> bool:
        """Whether nothing differs."""
        return self.found == 0

    def summary(self) -> str:
        """One line: how much was read and how much of it differs."""
        differ = f"{self.found} differ" + (f", {NAMED} named" if self.found > NAMED else "")
        rate = round(self.postings / self.seconds) if self.seconds else 0
        return (
            f"{differ}: {self.postings:,} postings of {self.entries:,} entries and"
            f" {self.owners:,} owners in {self.seconds:.1f} s, {rate:,} postings/s"
        )

    def add(self, found: int, named: Sequence[Difference]) -> None:
        """Take in what a check found, naming no more than there is room for."""
        self.found += found
        self.differences += named[: NAMED - len(self.differences)]


@dataclass(frozen=True, slots=True)
class RunTotals:
    """Totals of conversions that a table outside the ledger keeps by hour.

    `query` is a SELECT of hour, users, tokens, usd, fees and residue. An hour that has conversions
    and is in none of the tables handed in differs too.
    """

    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Task:
    """A check to run: its file in checks/, its SQL and the values it takes."""

    statement: str
    values: dict[str, Any]
    counts: bool = False
    """Whether the statement counts what is read instead of finding differences."""


Progress = Callable[[int], None]


def verify(
    engine: Engine,
    runs: Sequence[RunTotals] = (),
    progress: Progress | None = None,
    connections: int = 2,
    range_entries: int = RANGE_ENTRIES,
) -> Report:
    """Read one instant of the books and report every difference in it.

    `progress` is told the number of postings read so far, from the threads that read them.
    """
    began = time.monotonic()
    report = Report()
    with snapshot(engine, connections) as readers:
        _check_chart(readers[0], report)
        tasks = deque([*_whole(runs), *_by_owners(readers[0], range_entries)])
        work = _Work(tasks, report, progress)
        with ThreadPoolExecutor(len(readers)) as pool:
            for done in [pool.submit(work.run, reader) for reader in readers]:
                done.result()
    report.seconds = time.monotonic() - began
    report.differences.sort(key=lambda d: (d.owner_id or 0, d.seq or 0, d.check))
    return report


@contextmanager
def snapshot(engine: Engine, connections: int) -> Iterator[list[Connection]]:
    """Connections that all see the books as they are at one instant, and can only read."""
    with ExitStack() as stack:
        readers = [_reader(stack.enter_context(engine.connect())) for _ in range(connections)]
        exported = readers[0].scalar(text("SELECT pg_export_snapshot()"))
        for reader in readers[1:]:
            reader.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{exported}'")
        yield readers


def _reader(connection: Connection) -> Connection:
    reader = connection.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    # The app's limits are for requests. Sorts of a range fit in memory; of a giant owner, on disk.
    for setting in (
        "statement_timeout = 0",
        "idle_in_transaction_session_timeout = 0",
        "timezone = 'UTC'",
        "work_mem = '64MB'",
        "jit = off",
    ):
        reader.exec_driver_sql(f"SET LOCAL {setting}")
    return reader


class _Work:
    """The tasks that are left, and the report they add to; run by a thread for each connection."""

    def __init__(self, tasks: deque[Task], report: Report, progress: Progress | None) -> None:
        self._tasks = tasks
        self._report = report
        self._progress = progress
        self._lock = Lock()

    def run(self, connection: Connection) -> None:
        """Take tasks until none is left. One that fails ends the others too."""
        try:
            while self._tasks:
                try:
                    task = self._tasks.popleft()
                except IndexError:
                    return
                self._do(connection, task)
        except BaseException:
            self._tasks.clear()
            raise

    def _do(self, connection: Connection, task: Task) -> None:
        rows = connection.execute(text(task.statement), task.values).all()
        with self._lock:
            if task.counts:
                self._count(*rows[0])
            elif rows:
                self._report.add(rows[0].found, [Difference(*row[:4]) for row in rows])

    def _count(self, owners: int, entries: int, postings: int) -> None:
        self._report.owners += owners
        self._report.entries += entries
        self._report.postings += postings
        if self._progress:
            self._progress(self._report.postings)


def _check_chart(connection: Connection, report: Report) -> None:
    try:
        install.check(connection)
    except ChartMismatch as mismatch:
        report.add(1, [Difference("chart", None, None, str(mismatch))])


DIRECTORY = Path(__file__).parent / "checks"
DATED = ("win", "conversion")
"""Kinds whose entries have a time of their own."""
BY_OWNERS = ("entries", "lines", "reversals", "balances", "wallets", "holds", "payments")

FIND = """
SELECT found.name, found.owner_id, found.seq, found.detail, count(*) OVER () AS found
FROM ({check}) found LIMIT {limit}
"""
COUNT = """
SELECT (SELECT count(*) FROM ledger.owners WHERE owner_id BETWEEN :first AND :last),
       (SELECT count(*) FROM ledger.entries WHERE owner_id BETWEEN :first AND :last),
       (SELECT count(*) FROM ledger.postings WHERE owner_id BETWEEN :first AND :last)
"""
DECLARED = "SELECT '{label}', t.* FROM ({query}) t"
LAST_OF_RANGES = """
SELECT max(owner_id)
FROM (SELECT owner_id, div(sum(last_seq + 1) OVER (ORDER BY owner_id), :entries) AS part
      FROM ledger.owners) o
GROUP BY part ORDER BY part
"""
FIRST_OWNER, LAST_OWNER = -(2**63), 2**63 - 1


def _whole(runs: Sequence[RunTotals]) -> Iterator[Task]:
    """Checks that sum over all owners."""
    yield Task(_find("closed_totals"), {})
    if runs:
        declared = " UNION ALL ".join(DECLARED.format(label=r.label, query=r.query) for r in runs)
        conversion = {"conversion": KIND_IDS["conversion"]}
        yield Task(_find("runs", declared=declared), conversion)


def _by_owners(connection: Connection, range_entries: int) -> Iterator[Task]:
    """Every check of every range. The ranges leave no id out, with an owner or without."""
    kinds: dict[str, Any] = {name: KIND_IDS[name] for name in ("conversion", "reversal")}
    kinds["dated"] = [KIND_IDS[name] for name in DATED]
    checks = [_find(name) for name in BY_OWNERS]
    last_of_ranges = connection.scalars(text(LAST_OF_RANGES), {"entries": range_entries}).all()
    first = FIRST_OWNER
    for last in [*last_of_ranges[:-1], LAST_OWNER]:
        owners = {"first": first, "last": last}
        for check in checks:
            yield Task(check, owners | {k: v for k, v in kinds.items() if f":{k}" in check})
        yield Task(COUNT, owners, counts=True)
        first = last + 1


def _find(name: str, **parts: str) -> str:
    """The statement of a check, answering its first differences and how many there are."""
    check = (DIRECTORY / f"{name}.sql").read_text()
    for part, sql in parts.items():
        check = check.replace(f"{{{part}}}", sql)
    return FIND.format(check=check, limit=NAMED)
