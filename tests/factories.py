"""Makes books for tests, through the real posting path. Amounts are decimal strings, as people say them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from sqlalchemy import Engine, text

from portal import ledger
from portal.ledger import amounts, chart
from portal.ledger.clock import HOUR
from portal.ledger.conversion import Converted, Rate
from portal.ledger.idempotency import key_hash, request_hash
from portal.ledger.posting import Entry, Outcome, Window
from portal.services import conversions

CLIENT = 1
WINDOW = Window(timedelta(hours=24), timedelta(seconds=60))
EVERYBODY = (-1, 2**63 - 1)
"""A range (after, upto] that every owner is in."""


def start_of_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


class Breaking:
    """What breaks the thread that is handed it, as no request can."""

    @property
    def entry(self) -> None:
        raise RuntimeError("broken by a test")

    def fail(self, _: Exception) -> None:
        """Nobody waits for it."""


class Books:
    """The books of one database, written as the app writes them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._references = count(1)
        with engine.connect() as connection:
            self._assets = ledger.assets(connection)

    def owner(self, zone: str = "UTC") -> int:
        """Open the books of a new user."""
        with self.engine.begin() as connection:
            owner_id = int(connection.scalar(text("SELECT nextval('user_numbers')")) or 0)
            connection.execute(
                text("SELECT ledger.open_owner(:id, :zone)"), {"id": owner_id, "zone": zone}
            )
        return owner_id

    def entry(
        self,
        kind: str,
        owner_id: int,
        amount: str | None,
        *,
        asset: str = "DREAM",
        at: datetime | None = None,
        key: str | None = None,
        reverses: int | None = None,
        ends: int | None = None,
        expires_at: datetime | None = None,
    ) -> Entry:
        """An entry to be posted; without `key` one that never was before. A top-up has its claim."""
        key = key or str(uuid4())
        reference = f"r{next(self._references)}"
        if kind == "top_up":
            reference = str(uuid4())
            self.claim("test", reference, owner_id, key)
        units = None if amount is None else amounts.parse(amount, self._assets[asset].scale)
        return Entry(
            owner_id=owner_id,
            kind=kind,
            ledger_id=self._assets[asset].ledger_id,
            client_id=CLIENT,
            key_hash=key_hash(CLIENT, key),
            request_hash=request_hash(kind, owner_id, units, str(at), reverses, ends),
            amount=units,
            occurred_at=at,
            reverses_seq=reverses,
            hold_seq=ends,
            expires_at=expires_at,
            reference=reference,
            provider="test" if kind == "top_up" else None,
        )

    def paid_entry(
        self, owner_id: int, asset: str, amount: str, key: str, provider: str, payment: str
    ) -> Entry:
        """A top-up of a payment that the test has claimed."""
        made = self.entry("bonus", owner_id, amount, asset=asset, key=key)
        hashed = request_hash("top_up", owner_id, amount, provider, payment)
        return replace(
            made, kind="top_up", request_hash=hashed, provider=provider, reference=payment
        )

    def claim(self, provider: str, reference: str, owner_id: int, key: str) -> bool | None:
        """Claim a payment for the top-up that a key will make."""
        known = {"p": provider, "r": reference, "o": owner_id, "k": key_hash(CLIENT, key)}
        statement = "SELECT ledger.claim_payment(:p, :r, :o, CAST(:k AS uuid))"
        with self.engine.begin() as connection:
            return connection.execute(text(statement), known).scalar_one()

    def post(self, *entries: Entry, window: Window = WINDOW) -> list[Outcome]:
        return ledger.post_batch(self.engine, entries, window)

    def win(self, owner_id: int, amount: str = "1", at: datetime | None = None) -> int:
        """Post a win that must be accepted; its seq."""
        return self._posted(self.entry("win", owner_id, amount, at=at or self.now()))

    def top_up(self, owner_id: int, asset: str, amount: str) -> int:
        return self._posted(self.entry("top_up", owner_id, amount, asset=asset))

    def bonus(self, owner_id: int, asset: str, amount: str) -> int:
        return self._posted(self.entry("bonus", owner_id, amount, asset=asset))

    def spend(self, owner_id: int, asset: str, amount: str) -> int:
        return self._posted(self.entry("spend", owner_id, amount, asset=asset))

    def hold(self, owner_id: int, asset: str, amount: str, until: datetime | None = None) -> int:
        return self._posted(self.entry("hold", owner_id, amount, asset=asset, expires_at=until))

    def capture(self, owner_id: int, seq: int, asset: str, amount: str | None = None) -> int:
        return self._posted(self.entry("capture", owner_id, amount, asset=asset, ends=seq))

    def release(self, owner_id: int, seq: int, asset: str) -> int:
        return self._posted(self.entry("release", owner_id, None, asset=asset, ends=seq))

    def reverse(self, owner_id: int, seq: int, asset: str = "DREAM") -> int:
        return self._posted(self.entry("reversal", owner_id, None, asset=asset, reverses=seq))

    def _posted(self, entry: Entry) -> int:
        outcome = self.post(entry)[0]
        assert outcome.status == "posted", outcome
        assert outcome.seq is not None
        return outcome.seq

    def wallet(self, owner_id: int, asset: str) -> ledger.Wallet:
        """What the owner has of an asset now."""
        with self.engine.connect() as connection:
            return ledger.wallet(connection, owner_id, ledger.assets(connection)[asset])

    def now(self) -> datetime:
        with self.engine.connect() as connection:
            return ledger.now(connection)

    def set_clock(self, at: datetime) -> datetime:
        with self.engine.begin() as connection:
            return ledger.set_clock(connection, at)

    def next_hour(self) -> datetime:
        """Move the clock to where the running hour ends; the hour that ended."""
        with self.engine.begin() as connection:
            ended = start_of_hour(ledger.now(connection))
            ledger.set_clock(connection, ended + HOUR)
        return ended

    def change_zone(self, owner_id: int, zone: str) -> datetime:
        """Have a user move; from when on."""
        values = {"id": owner_id, "zone": zone, "ahead": WINDOW.max_ahead, "spacing": timedelta(30)}
        statement = "SELECT ledger.change_zone(:id, :zone, :ahead, :spacing)"
        with self.engine.begin() as connection:
            start: datetime = connection.execute(text(statement), values).scalar_one()
        return start

    def add_fee_rule(self, kind: str, fixed: str, basis_points: int = 0) -> None:
        """A rule that holds from the next hour on."""
        units = 0 if fixed == "0" else amounts.parse(fixed, chart.TOKEN_SCALE)
        start = start_of_hour(self.now()) + HOUR
        values = {"kind": kind, "start": start, "fixed": units, "points": basis_points}
        statement = "SELECT ledger.add_fee_rule(:kind, 'another', :start, :fixed, :points)"
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def convert(self, hour: datetime, rate: str = "0.15") -> Converted:
        """Close an hour that is over, give it a rate and convert for every owner."""
        with self.engine.connect() as connection:
            ledger.close_hour(connection, hour)
            ledger.store_rate(connection, hour, Rate(Decimal(rate), "test"))
            converted = ledger.convert(connection, hour, *EVERYBODY)
            connection.commit()
        return converted


def convert_due() -> None:
    """Convert every hour that is over, with its run and chunks. Needs an app context."""

    def at_once(hour: datetime, number: int) -> None:
        conversions.convert_chunk(hour, number)

    conversions.convert_due(at_once)


@dataclass(frozen=True)
class Days:
    """What `some_days` made."""

    hour: datetime
    """The first hour converted."""
    winner: int
    """Won in seq 1 to 3, converted in 4, won in 5 and 6, reversed 6 in 7."""
    spender: int
    """Holds credits; conversions up to seq 4, a top-up in 5."""


def some_days(books: Books) -> Days:
    """Two days of everything that books can hold. Needs an app context."""
    books.set_clock(start_of_hour(books.now()) - timedelta(days=4))
    zones = ("UTC", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Kiritimati")
    owners = [books.owner(zone) for zone in zones]
    for owner in owners:
        books.win(owner, "1.000000000000000001")
        books.win(owner, "2.5", at=books.now() - timedelta(hours=20))
        books.win(owner, "0.25", at=books.now() + timedelta(seconds=30))
    books.reverse(owners[3], books.win(owners[3], "0.5"))
    dust = books.owner("Europe/Berlin")
    books.win(dust, "0.000000000000000001")
    books.add_fee_rule("conversion", "0.05", basis_points=33)
    books.add_fee_rule("win", "0")
    hour = books.next_hour()
    convert_due()
    _some_credits(books, owners[1])
    books.win(owners[0], "0.1")
    books.reverse(owners[0], books.win(owners[0], "0.7"))
    start = books.change_zone(owners[2], "Asia/Tokyo")
    books.next_hour()
    convert_due()
    books.set_clock(start + HOUR)
    books.win(owners[2], "3")
    books.win(owners[2], "1", at=start - timedelta(minutes=5))
    books.win(dust, "4.123456789")
    books.next_hour()
    convert_due()
    books.win(owners[3], "0.5")
    return Days(hour, owners[0], owners[1])


def _some_credits(books: Books, owner: int) -> None:
    """Credits topped up, granted, spent and reversed."""
    books.top_up(owner, "GOLD_COIN", "500")
    books.spend(owner, "GOLD_COIN", "120")
    books.reverse(owner, books.spend(owner, "GOLD_COIN", "80"), "GOLD_COIN")
    books.bonus(owner, "LOYALTY_POINT", "12.34")
    books.reverse(owner, books.top_up(owner, "DIAMOND", "3"), "DIAMOND")
    books.capture(owner, books.hold(owner, "GOLD_COIN", "100"), "GOLD_COIN", "30")
    books.capture(owner, books.hold(owner, "LOYALTY_POINT", "2.5"), "LOYALTY_POINT")
    books.release(owner, books.hold(owner, "GOLD_COIN", "7"), "GOLD_COIN")
    books.hold(owner, "GOLD_COIN", "20")
