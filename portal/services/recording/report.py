"""What came of a replay: counts, totals and every difference from what was expected."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal import ledger
from portal.ledger import amounts
from portal.runtime import runtime

SCALE = 18
MICROSECOND = timedelta(microseconds=1)
SHOWN_DIFFERENCES = 20
MOMENT = "%Y-%m-%d %H:%M"
FLOWS = {
    "tokens won": ("DREAM", "TOKENS_EARNED", "DREAM"),
    "tokens converted": ("DREAM", "TOKENS_EXCHANGED", "DREAM"),
    "USD earned": ("USD", "USD_EARNED", "USD"),
    "issuance fees": ("FEES", "FEE_ISSUANCE", "USD"),
    "conversion fees": ("FEES", "FEE_CONVERSION", "USD"),
}


@dataclass
class Report:
    """`verdicts` counts wins by status or code; `flows` are base units booked since the start."""

    title: str
    users: int = 0
    users_made: int = 0
    zones: int = 0
    midnights: int = 0
    hours: int = 0
    before: int = 0
    """Wins that an earlier, killed run had sent."""
    verdicts: Counter[str] = field(default_factory=Counter)
    winners: Counter[int] = field(default_factory=Counter)
    """Wins posted, by user id."""
    differences: list[str] = field(default_factory=list)
    flows: dict[str, int] = field(default_factory=dict)
    clock: datetime | None = None
    seconds: float = 0
    sending_seconds: float = 0

    def is_clean(self) -> bool:
        """Whether all came out as expected."""
        return not self.differences

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield self.title
        yield f"users            {self.users:>8,} in {self.zones} time zones, {self.users_made:,} made now"
        yield f"midnights        {self.midnights:>8,} local ones crossed"
        yield f"hours converted  {self.hours:>8,}"
        if self.before:
            yield f"wins before      {self.before:>8,} sent by the run that this one goes on with"
        yield f"wins sent        {self.verdicts.total():>8,}"
        for verdict, number in self.verdicts.most_common():
            yield f"                 {number:>8,} {verdict}"
        for user_id, number in self.winners.most_common(1):
            yield f"most by a user   {number:>8,} posted for user {user_id}"
        for name, units in self.flows.items():
            yield f"{name:<16} {amounts.text(units, SCALE):>30} {FLOWS[name][2]}"
        yield from self._ending()

    def _ending(self) -> Iterator[str]:
        rate = self.verdicts.total() / self.sending_seconds if self.sending_seconds else 0
        yield f"took             {self.seconds:>8.1f} s, sending at {rate:,.0f} wins/s"
        if self.clock:
            yield f"ledger clock     {self.clock:{MOMENT}} UTC"
        for difference in self.differences[:SHOWN_DIFFERENCES]:
            yield f"differs: {difference}"
        yield f"{len(self.differences)} of the wins and balances differ from what was expected"


def flows_since(start: datetime) -> dict[str, int]:
    """What was booked by anyone from `start` on, of the accounts that say how it went."""
    after = _totals(None)
    before = _totals(start - MICROSECOND)
    return {name: after[key[:2]] - before[key[:2]] for name, key in FLOWS.items()}


def _totals(at: datetime | None) -> dict[tuple[str, str], int]:
    """Balances on the accounts' normal sides."""
    balance = ledger.trial_balance_at(runtime().engine, at)
    return {(line.ledger, line.account): line.closing for line in balance.lines}
