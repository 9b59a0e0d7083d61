"""The trial balance: debits and credits of every account, by ledger, as of any time booked.

Closed hours come from their totals; what was booked since is added up in the same snapshot.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from portal.ledger import clock


@dataclass(frozen=True, slots=True)
class Line:
    """An account's totals in base units of its ledger's asset."""

    ledger: str
    asset: str
    scale: int
    account: str
    type: str
    sign: int
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        """On the account's normal side."""
        return self.sign * (self.debits - self.credits)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account's totals of all that was booked up to `at`."""

    at: datetime
    lines: list[Line]

    def totals(self) -> dict[str, tuple[int, int]]:
        """Debits and credits by ledger."""
        sums: dict[str, tuple[int, int]] = {}
        for line in self.lines:
            debits, credits = sums.get(line.ledger, (0, 0))
            sums[line.ledger] = (debits + line.debits, credits + line.credits)
        return sums

    def is_balanced(self) -> bool:
        """Whether in every ledger debits equal credits."""
        return all(debits == credits for debits, credits in self.totals().values())


LINES = """
WITH closed AS (
    SELECT max(hour) AS hour FROM ledger.closed_hours WHERE hour + interval '1 hour' <= :at
), tail AS (
    SELECT t.* FROM closed c
    CROSS JOIN LATERAL ledger.booked_between(
        coalesce(c.hour + interval '1 hour', '-infinity'), CAST(:at AS timestamptz) + interval '1 microsecond') t
)
SELECT l.code AS ledger, l.asset, s.scale, a.code AS account, a.type, a.sign,
       coalesce(total.debits, 0) + coalesce(tail.debits, 0) AS debits,
       coalesce(total.credits, 0) + coalesce(tail.credits, 0) AS credits
FROM ledger.accounts a
JOIN ledger.ledgers l ON l.id = a.ledger_id
JOIN ledger.assets s ON s.code = l.asset
CROSS JOIN closed c
LEFT JOIN LATERAL (
    SELECT t.debits, t.credits FROM ledger.closed_totals t
    WHERE t.account_id = a.id AND t.hour <= c.hour ORDER BY t.hour DESC LIMIT 1) total ON true
LEFT JOIN tail ON tail.account_id = a.id
ORDER BY a.id
"""


def trial_balance(engine: Engine, at: datetime | None = None) -> TrialBalance:
    """All that was booked up to `at` (inclusive; default now), in one REPEATABLE READ snapshot."""
    with engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        at = at or clock.now(snapshot)
        rows = snapshot.execute(text(LINES), {"at": at})
        lines = [
            Line(
                r.ledger, r.asset, r.scale, r.account, r.type, r.sign, int(r.debits), int(r.credits)
            )
            for r in rows
        ]
        return TrialBalance(at, lines)
