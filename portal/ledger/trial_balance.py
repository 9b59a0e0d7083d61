"""The trial balance: debits and credits of every account, by ledger, of any stretch of either clock.

Closed hours come from their totals; what is cut off one, or was booked since, is added up in the same
snapshot. So it costs accounts, not postings.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, Engine, text

from portal.ledger import clock
from portal.ledger.spans import Side, Span

OWN = "FEES"
"""The ledger that is Dreamland's own: it has no other side."""
MIRRORED = {"asset": "liability", "liability": "asset", "income": "expense", "expense": "income"}
"""What a type of account is on the other side. Equity stays equity."""


@dataclass(frozen=True, slots=True)
class Line:
    """An account in base units of its ledger's asset: what it opened with, and what moved in the span."""

    ledger: str
    asset: str
    scale: int
    account: str
    type: str
    scope: str
    sign: int
    opening_debits: int
    opening_credits: int
    debits: int
    credits: int

    @property
    def closing_debits(self) -> int:
        """All debits until the end of the span."""
        return self.opening_debits + self.debits

    @property
    def closing_credits(self) -> int:
        """All credits until the end of the span."""
        return self.opening_credits + self.credits

    @property
    def opening(self) -> int:
        """The balance before the span, on the account's normal side."""
        return self.sign * (self.opening_debits - self.opening_credits)

    @property
    def closing(self) -> int:
        """The balance at its end, on the account's normal side."""
        return self.sign * (self.closing_debits - self.closing_credits)

    def seen_from(self, side: Side) -> "Line":
        """The same account from a side: from Dreamland's, debits and credits change places."""
        if side == "users" or self.ledger == OWN:
            return self
        return replace(
            self,
            type=MIRRORED.get(self.type, self.type),
            sign=-self.sign,
            opening_debits=self.opening_credits,
            opening_credits=self.opening_debits,
            debits=self.credits,
            credits=self.debits,
        )


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account over a span, all of one moment; `last_closed_hour` is the last whose totals are kept."""

    span: Span
    lines: list[Line]
    last_closed_hour: datetime | None

    def totals(self) -> dict[str, tuple[int, int]]:
        """Debits and credits by ledger, until the end of the span."""
        sums: dict[str, tuple[int, int]] = {}
        for line in self.lines:
            debits, credits = sums.get(line.ledger, (0, 0))
            sums[line.ledger] = (debits + line.closing_debits, credits + line.closing_credits)
        return sums

    def is_balanced(self) -> bool:
        """Whether in every ledger debits equal credits."""
        return all(debits == credits for debits, credits in self.totals().values())


UNTIL = {"booked": "ledger.totals_before", "accounting": "ledger.totals_dated_before"}
LINES = """
SELECT l.code AS ledger, l.asset, s.scale, a.code AS account, a.type, a.scope, a.sign,
       coalesce(o.debits, 0) AS opening_debits, coalesce(o.credits, 0) AS opening_credits,
       c.debits - coalesce(o.debits, 0) AS debits, c.credits - coalesce(o.credits, 0) AS credits,
       (SELECT max(hour) FROM ledger.closed_hours) AS last_closed_hour
FROM ledger.accounts a
JOIN ledger.ledgers l ON l.id = a.ledger_id
JOIN ledger.assets s ON s.code = l.asset
JOIN {until}(:end) c ON c.account_id = a.id
LEFT JOIN {opening} o ON o.account_id = a.id
ORDER BY l.id, a.id
"""
NOTHING = (
    "(SELECT NULL::smallint AS account_id, 0::numeric AS debits, 0::numeric AS credits WHERE false)"
)
OPEN_PERIODS = """
SELECT m::date FROM generate_series(
    (SELECT date_trunc('month', min(booked_at) AT TIME ZONE 'UTC') FROM ledger.entries),
    date_trunc('month', CAST(:last AS timestamp)), interval '1 month') m
WHERE m::date NOT IN (SELECT month FROM ledger.closed_periods)
ORDER BY 1
"""


def trial_balance(connection: Connection, span: Span) -> TrialBalance:
    """Every account of the chart over a span. One statement: all of it is of one moment."""
    until = UNTIL[span.clock]
    opening = f"{until}(:start)" if span.start else NOTHING
    known = {"end": span.end, "start": span.start}
    of_clock = (
        {n: at.date() for n, at in known.items() if at} if span.clock == "accounting" else known
    )
    rows = connection.execute(text(LINES.format(until=until, opening=opening)), of_clock).all()
    lines = [Line(*row[:7], *(int(figure) for figure in row[7:11])) for row in rows]
    return TrialBalance(span, lines, rows[0].last_closed_hour)


def trial_balance_at(engine: Engine, at: datetime | None = None) -> TrialBalance:
    """All that was booked up to `at` (inclusive; default now), in one REPEATABLE READ snapshot."""
    with engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        return trial_balance(snapshot, Span.booked(None, at or clock.now(snapshot)))


def open_periods(connection: Connection, last: date) -> list[date]:
    """The months, up to that of `last`, that something may still be dated in; by their first days."""
    return list(connection.scalars(text(OPEN_PERIODS), {"last": last}))
