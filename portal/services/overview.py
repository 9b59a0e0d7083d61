"""The state of the books in one look: whether they are verified and converted, what users have, what it cost.

All figures are of one moment. Days and months are UTC, by the booked clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from portal import ledger
from portal.ledger.spans import midnight
from portal.ledger.trial_balance import Line
from portal.runtime import runtime
from portal.services import runs, verifications
from portal.services.runs import Run
from portal.services.verifications import Stored

OWN = ("FEE_ISSUANCE", "FEE_CONVERSION", "FEES_PAYABLE")
WALLETS = ("TOKENS_INVENTORY", "USD_INVENTORY", "INVENTORY", "HELD")
"""What users have is in these accounts."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What all users together have of an asset; `held` of it is set aside."""

    ledger: str
    asset: str
    scale: int
    account: str
    balance: int
    held: int


@dataclass(frozen=True, slots=True)
class Fees:
    """What a month cost so far, less what was taken back, and what is owed by now."""

    month: date
    issuance: int
    conversion: int
    owed: int

    @property
    def total(self) -> int:
        """Both kinds."""
        return self.issuance + self.conversion


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours that are over and not converted: `due` of them, the first of which is `following`."""

    last: Run | None
    """The newest that is done."""
    following: datetime | None
    begun: Run | None
    """The run of `following`, if somebody began it."""
    due: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at a glance."""

    at: datetime
    verification: Stored | None
    hours: Hours
    holdings: Sequence[Holding]
    fees: Fees
    first: date
    last: date
    days: Sequence[ledger.DayFlow]
    """Those in which anything came in, oldest first."""


def overview(days: int) -> Overview:
    """All of it, with the flows of so many days, today's among them."""
    with runtime().reading() as connection:
        at, verification = verifications.newest()
        today = at.astimezone(UTC).date()
        month = today.replace(day=1)
        first = today - timedelta(days=days - 1)
        span = ledger.Span.booked(midnight(month), at)
        lines = ledger.trial_balance(connection, span).lines
        return Overview(
            at=at,
            verification=verification,
            hours=_hours(at),
            holdings=_holdings(lines),
            fees=_fees(month, lines),
            first=first,
            last=today,
            days=ledger.daily_flows(connection, first, today),
        )


def _hours(at: datetime) -> Hours:
    """Hours are converted in order: only the newest run is not done, if any."""
    newest = runs.page(None, 2)
    last = next((run for run in newest if run.state == "done"), None)
    begun = next((run for run in newest if run.state != "done"), None)
    following = last.hour + ledger.HOUR if last else begun.hour if begun else None
    if following is None:
        with runtime().snapshot() as connection:
            following = ledger.first_booked_hour(connection)
    return Hours(last, following, begun, (at - following) // ledger.HOUR if following else 0)


def _holdings(lines: Sequence[Line]) -> list[Holding]:
    """By asset, in the order of the chart."""
    found: dict[str, Holding] = {}
    for line in lines:
        if line.account in WALLETS:
            so_far = found.get(line.asset)
            held = line.closing if line.account == "HELD" else 0
            found[line.asset] = Holding(
                line.ledger,
                line.asset,
                line.scale,
                so_far.account if so_far else line.account,
                line.closing + (so_far.balance if so_far else 0),
                held + (so_far.held if so_far else 0),
            )
    return list(found.values())


def _fees(month: date, lines: Sequence[Line]) -> Fees:
    of = {line.account: line for line in lines if line.account in OWN}
    moved = {name: line.sign * (line.debits - line.credits) for name, line in of.items()}
    return Fees(month, moved["FEE_ISSUANCE"], moved["FEE_CONVERSION"], of["FEES_PAYABLE"].closing)
