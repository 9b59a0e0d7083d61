"""The rules of posting once more, in plain Python, one entry at a time: what `ledger.post` must equal."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.ledger import chart
from portal.ledger.posting import Entry, Outcome

Account = tuple[int, str]
"""The ledger's id and the account's code."""

MOVES = {
    "win": (None, "TOKENS_INVENTORY"),
    "top_up": (None, "INVENTORY"),
    "bonus": (None, "INVENTORY"),
    "spend": ("INVENTORY", None),
    "hold": ("INVENTORY", "HELD"),
    "capture": ("HELD", None),
    "release": ("HELD", "INVENTORY"),
    "expiry": ("INVENTORY", None),
}
"""The user's account that an amount leaves and the one it enters."""
ENDS = {"capture", "release"}
REVERSIBLE = {"win", "top_up", "bonus", "spend"}


@dataclass
class Booked:
    kind: str
    ledger_id: int
    amount: int
    day: date
    is_reversed: bool = False
    is_ended: bool = False


@dataclass
class OwnerBooks:
    zone: ZoneInfo
    seq: int = 0
    last_booked_at: datetime | None = None
    used: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    keys: dict[str, tuple[bytes, int, datetime, date]] = field(default_factory=dict)
    entries: dict[int, Booked] = field(default_factory=dict)


class Model:
    """Every owner's books. `take` asserts that an outcome is what they say, then books it."""

    def __init__(self, zones: dict[int, str]) -> None:
        self.owners = {owner: OwnerBooks(ZoneInfo(zone)) for owner, zone in zones.items()}

    def take(self, entry: Entry, outcome: Outcome, now: datetime) -> None:
        owner = self.owners.get(entry.owner_id)
        if owner is None:
            assert (outcome.status, outcome.code) == ("rejected", "unknown_user")
        elif entry.key_hash in owner.keys:
            self._again(owner, entry, outcome)
        elif code := self._refusal(owner, entry, now):
            assert (outcome.status, outcome.code) == ("rejected", code)
            self._figures(owner, entry, outcome, code)
        else:
            self._book(owner, entry, outcome)

    def _again(self, owner: OwnerBooks, entry: Entry, outcome: Outcome) -> None:
        request, seq, booked_at, day = owner.keys[entry.key_hash]
        if request != entry.request_hash:
            assert (outcome.status, outcome.code) == ("rejected", "idempotency_key_reused")
            return
        assert (outcome.status, outcome.code) == ("replayed", None)
        assert (outcome.seq, outcome.booked_at, outcome.day) == (seq, booked_at, day)
        self._check_now(owner, entry, outcome, day)

    def _refusal(self, owner: OwnerBooks, entry: Entry, now: datetime) -> str | None:
        if entry.occurred_at and not -86400 < (entry.occurred_at - now).total_seconds() < 60:
            return "occurred_at_out_of_range"
        if entry.kind == "reversal" and (code := self._irreversible(owner, entry)):
            return code
        if entry.kind in ENDS and (code := self._not_to_be_ended(owner, entry)):
            return code
        amount = self._amount(owner, entry)
        if entry.kind == "win":
            assert entry.occurred_at
            day = entry.occurred_at.astimezone(owner.zone).date()
            if owner.used[day] + amount > chart.DAY_LIMIT:
                return "daily_limit_exceeded"
        source, _ = self._accounts(owner, entry)
        if source and amount > owner.held[source]:
            return "insufficient_funds"
        return None

    def _not_to_be_ended(self, owner: OwnerBooks, entry: Entry) -> str | None:
        hold = owner.entries.get(entry.hold_seq or 0)
        if hold is None or (hold.kind, hold.ledger_id) != ("hold", entry.ledger_id):
            return "unknown_hold"
        if hold.is_ended:
            return "hold_not_open"
        return "capture_exceeds_hold" if (entry.amount or 0) > hold.amount else None

    def _irreversible(self, owner: OwnerBooks, entry: Entry) -> str | None:
        original = owner.entries.get(entry.reverses_seq or 0)
        if original is None or original.ledger_id != entry.ledger_id:
            return "unknown_entry"
        if original.kind not in REVERSIBLE:
            return "not_reversible"
        return "already_reversed" if original.is_reversed else None

    def _book(self, owner: OwnerBooks, entry: Entry, outcome: Outcome) -> None:
        assert (outcome.status, outcome.code) == ("posted", None)
        owner.seq += 1
        assert outcome.seq == owner.seq
        assert outcome.booked_at
        assert owner.last_booked_at is None or outcome.booked_at >= owner.last_booked_at
        owner.last_booked_at = outcome.booked_at
        day = (entry.occurred_at or outcome.booked_at).astimezone(owner.zone).date()
        assert outcome.day == day
        amount = self._amount(owner, entry)
        source, target = self._accounts(owner, entry)
        if source:
            owner.held[source] -= amount
        if target:
            owner.held[target] += amount
        if entry.kind in ENDS:
            hold = owner.entries[entry.hold_seq or 0]
            hold.is_ended = True
            owner.held[entry.ledger_id, "HELD"] -= hold.amount - amount
            owner.held[entry.ledger_id, "INVENTORY"] += hold.amount - amount
        if entry.kind == "win":
            owner.used[day] += amount
        if entry.kind == "reversal":
            original = owner.entries[entry.reverses_seq or 0]
            original.is_reversed = True
            if original.kind == "win":
                owner.used[original.day] -= amount
        owner.entries[owner.seq] = Booked(entry.kind, entry.ledger_id, amount, day)
        owner.keys[entry.key_hash] = (entry.request_hash, owner.seq, outcome.booked_at, day)
        self._check_now(owner, entry, outcome, day)

    def _figures(self, owner: OwnerBooks, entry: Entry, outcome: Outcome, code: str) -> None:
        if code == "daily_limit_exceeded":
            assert entry.occurred_at
            day = entry.occurred_at.astimezone(owner.zone).date()
            assert (outcome.day, outcome.used) == (day, owner.used[day])
            assert outcome.day_limit == chart.DAY_LIMIT
        if code == "insufficient_funds":
            self._check_wallet(owner, entry, outcome)

    def _check_now(self, owner: OwnerBooks, entry: Entry, outcome: Outcome, day: date) -> None:
        if entry.kind == "win":
            assert (outcome.used, outcome.day_limit) == (owner.used[day], chart.DAY_LIMIT)
            assert outcome.balance is None
        else:
            self._check_wallet(owner, entry, outcome)

    def _check_wallet(self, owner: OwnerBooks, entry: Entry, outcome: Outcome) -> None:
        """All that the user has in the entry's ledger, and what of it is set aside."""
        wallet = {code: n for (ledger, code), n in owner.held.items() if ledger == entry.ledger_id}
        assert outcome.balance == sum(wallet.values())
        assert outcome.held == wallet.get("HELD", 0)

    def _amount(self, owner: OwnerBooks, entry: Entry) -> int:
        if entry.kind == "reversal":
            return owner.entries[entry.reverses_seq or 0].amount
        if entry.amount is None:
            return owner.entries[entry.hold_seq or 0].amount
        return entry.amount

    def _accounts(self, owner: OwnerBooks, entry: Entry) -> tuple[Account | None, Account | None]:
        """Where the amount comes from and where it goes, among the user's accounts with a floor."""
        ledger_id = entry.ledger_id
        if entry.kind == "reversal":
            original = owner.entries[entry.reverses_seq or 0]
            target, source = MOVES[original.kind]
            ledger_id = original.ledger_id
        else:
            source, target = MOVES[entry.kind]
        return source and (ledger_id, source), target and (ledger_id, target)


def local_day(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


HOURS_BACK = (
    timedelta(0),
    timedelta(hours=5),
    timedelta(hours=20),
    timedelta(hours=23, minutes=50),
)
