"""The ledger of fees, as finance asks for it: by kind, provider, day, game and region; and what is owed.

Closed hours come from their totals, what is cut off one or was booked since from the postings, in one
statement. Amounts are base units of USD, days UTC.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, text

from portal.ledger.spans import DAY, Span, midnight

By = Literal["kind", "provider", "day", "game", "region"]


@dataclass(frozen=True, slots=True)
class FeeSum:
    """What one kind, provider, day, game or region cost, and what of it was paid; less what was taken back.

    `name` is empty where the postings name none; a day is YYYY-MM-DD, a region what ids of its users begin with.
    """

    name: str
    issuance: int
    conversion: int
    settled: int
    entries: int

    @property
    def total(self) -> int:
        """Both fees."""
        return self.issuance + self.conversion


@dataclass(frozen=True, slots=True)
class Owed:
    """What a provider is owed, by all that was incurred and settled until the end of a span."""

    provider: str
    incurred: int
    settled: int

    @property
    def owed(self) -> int:
        """What is left to pay."""
        return self.incurred - self.settled


# Whole closed hours of the span; then what is cut off at its ends, and what is not closed. By accounting date a
# span consists of whole days, and what was booked late has an hour after them.
MOVED = """
WITH edge AS (
    SELECT greatest(CAST(:start AS timestamptz), '-infinity') AS begins, CAST(:end AS timestamptz) AS ends,
           CASE WHEN CAST(:start AS timestamptz) = ledger.hour_of(:start) THEN CAST(:start AS timestamptz)
                ELSE ledger.hour_of(:start) + interval '1 hour' END AS first,
           ledger.closed_until() AS closed
), whole AS (
    SELECT e.*, greatest(least(ledger.hour_of(e.ends), e.closed), e.first) AS last FROM edge e
), moved AS (
    SELECT t.* FROM whole w, ledger.fee_totals t
    WHERE t.hour >= w.first AND (NOT :dated AND t.hour < w.last OR :dated AND t.hour < w.closed)
    UNION ALL
    SELECT f.* FROM whole w
    CROSS JOIN LATERAL ledger.fees_between(w.begins, CASE WHEN :dated THEN w.begins ELSE least(w.first, w.ends) END) f
    UNION ALL
    SELECT f.* FROM whole w
    CROSS JOIN LATERAL ledger.fees_between(CASE WHEN :dated THEN greatest(w.first, w.closed) ELSE w.last END,
                                           CASE WHEN :dated THEN 'infinity' ELSE w.ends END) f
), net AS (
    SELECT m.*, d.code AS debit, c.code AS credit
    FROM moved m
    JOIN ledger.accounts d ON d.id = m.debit_account_id
    JOIN ledger.accounts c ON c.id = m.credit_account_id
    WHERE NOT :dated OR m.accounting_date >= CAST(:first AS date) AND m.accounting_date < CAST(:last AS date)
)
"""
NAMES: dict[By, str] = {
    "kind": "k.code",
    "provider": "n.provider",
    "day": "CASE WHEN :dated THEN n.accounting_date ELSE (n.hour AT TIME ZONE 'UTC')::date END::text",
    "game": "n.game",
    "region": "n.region::text",
}
SUMS = """
SELECT {name} AS name,
       coalesce(sum(n.amount) FILTER (WHERE n.debit = 'FEE_ISSUANCE'), 0)
       - coalesce(sum(n.amount) FILTER (WHERE n.credit = 'FEE_ISSUANCE'), 0) AS issuance,
       coalesce(sum(n.amount) FILTER (WHERE n.debit = 'FEE_CONVERSION'), 0)
       - coalesce(sum(n.amount) FILTER (WHERE n.credit = 'FEE_CONVERSION'), 0) AS conversion,
       coalesce(sum(n.amount) FILTER (WHERE n.credit = 'CASH'), 0)
       - coalesce(sum(n.amount) FILTER (WHERE n.debit = 'CASH'), 0) AS settled,
       sum(n.entries) AS entries
FROM net n JOIN ledger.entry_kinds k ON k.id = n.kind_id
GROUP BY 1 ORDER BY 1
"""
OWED = """
SELECT n.provider,
       coalesce(sum(n.amount) FILTER (WHERE n.credit = 'FEES_PAYABLE' AND n.debit <> 'CASH'), 0)
       - coalesce(sum(n.amount) FILTER (WHERE n.debit = 'FEES_PAYABLE' AND n.credit <> 'CASH'), 0) AS incurred,
       coalesce(sum(n.amount) FILTER (WHERE n.debit = 'FEES_PAYABLE' AND n.credit = 'CASH'), 0)
       - coalesce(sum(n.amount) FILTER (WHERE n.credit = 'FEES_PAYABLE' AND n.debit = 'CASH'), 0) AS settled
FROM net n
GROUP BY 1 ORDER BY 1
"""


def fee_sums(connection: Connection, span: Span, by: By) -> list[FeeSum]:
    """The fees of a span by one of their sides, in the order of names."""
    rows = connection.execute(text(MOVED + SUMS.format(name=NAMES[by])), _known(span))
    return [
        FeeSum(r.name, int(r.issuance), int(r.conversion), int(r.settled), int(r.entries))
        for r in rows
    ]


def owed(connection: Connection, span: Span) -> list[Owed]:
    """What each provider is owed at the end of a span, wherever that begins: their sum is FEES_PAYABLE."""
    rows = connection.execute(text(MOVED + OWED), _known(Span(span.clock, None, span.end)))
    return [Owed(r.provider, int(r.incurred), int(r.settled)) for r in rows]


def _known(span: Span) -> dict[str, Any]:
    return {
        "start": span.start or "-infinity",
        "end": span.end,
        "dated": span.clock == "accounting",
        "first": span.first_date or "-infinity",
        "last": span.end.date() if span.clock == "accounting" else "infinity",
    }


@dataclass(frozen=True, slots=True)
class DayFlow:
    """What a UTC day of booking brought, less what was taken back: tokens won, USD paid, fees."""

    day: date
    won: int
    converted: int
    usd: int
    issuance_fees: int
    conversion_fees: int


FLOWING = {
    "TOKENS_EARNED": "won",
    "TOKENS_EXCHANGED": "converted",
    "USD_INVENTORY": "usd",
    "FEE_ISSUANCE": "issuance_fees",
    "FEE_CONVERSION": "conversion_fees",
}
"""Accounts whose balance is what came in, by the field that tells it."""
FLOWS = """
SELECT d.day::date, a.code, coalesce(t.balance, 0) AS balance
FROM generate_series(CAST(:first AS timestamp), CAST(:last AS timestamp), interval '1 day') d (day)
JOIN ledger.accounts a ON a.code = ANY (:codes)
LEFT JOIN LATERAL (
    SELECT a.sign * (c.debits - c.credits) AS balance FROM ledger.closed_totals c
    WHERE c.account_id = a.id AND c.hour < d.day AT TIME ZONE 'UTC' ORDER BY c.hour DESC LIMIT 1) t ON true
"""
# Read once, by a subquery: an index over ranges of pages checks each row of a range again.
TAIL = """
SELECT (p.booked_at AT TIME ZONE 'UTC')::date AS day, a.code,
       sum(CASE WHEN p.debit_account_id = a.id THEN a.sign * p.amount ELSE -a.sign * p.amount END) AS moved
FROM ledger.postings p
JOIN ledger.accounts a ON a.id IN (p.debit_account_id, p.credit_account_id) AND a.code = ANY (:codes)
WHERE p.booked_at >= (SELECT greatest(ledger.closed_until(), CAST(:start AS timestamptz))) AND p.booked_at < :end
GROUP BY 1, 2
"""


def daily_flows(connection: Connection, first: date, last: date) -> list[DayFlow]:
    """The UTC days from `first` to `last` in which anything came in, oldest first."""
    end = last + DAY
    known: dict[str, Any] = {"first": first, "last": end, "codes": [*FLOWING]}
    balances = {(r.day, r.code): int(r.balance) for r in connection.execute(text(FLOWS), known)}
    known |= {"start": midnight(first), "end": midnight(end)}
    tail = {(r.day, r.code): int(r.moved) for r in connection.execute(text(TAIL), known)}
    found = []
    for number in range((end - first).days):
        day = first + number * DAY
        moved = {
            field: balances[day + DAY, code] - balances[day, code] + tail.get((day, code), 0)
            for code, field in FLOWING.items()
        }
        if any(moved.values()):
            found.append(DayFlow(day, **moved))
    return found
