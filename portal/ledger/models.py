"""The ledger's tables. Written by the functions in sql/ alone; the app's role may only read them.

Every key of the books starts with `owner_id`, so that they can be spread over machines by owner.
Amounts are base units: `numeric(78,0)` for one amount, unbounded `numeric` for a total.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.ledger.amounts import MAX_AMOUNT

SCHEMA = "ledger"

Moment = DateTime(timezone=True)
Amount = Numeric(78, 0)
Total = Numeric()


def within(*args: Any, **options: Any) -> tuple[Any, ...]:
    """Table arguments: constraints first, then the schema and the storage options."""
    return (*args, {"schema": SCHEMA, **options})


class Asset(Model):
    """A unit of value. Its scale never changes."""

    __tablename__ = "assets"
    __table_args__ = within(
        CheckConstraint("scale BETWEEN 0 AND 30", name="assets_scale"),
        CheckConstraint("kind IN ('token', 'currency', 'credit')", name="assets_kind"),
    )
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scale: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)


class Ledger(Model):
    """The books of one asset for one purpose."""

    __tablename__ = "ledgers"
    __table_args__ = within()
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, unique=True)
    asset: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.assets.code"))


class Account(Model):
    """One line of the chart. `sign` is +1 where debits add to the balance, -1 where credits do."""

    __tablename__ = "accounts"
    __table_args__ = within(
        UniqueConstraint("ledger_id", "code"),
        CheckConstraint(
            "type IN ('asset', 'liability', 'equity', 'income', 'expense')", name="accounts_type"
        ),
        CheckConstraint("scope IN ('user', 'company')", name="accounts_scope"),
        CheckConstraint("sign IN (-1, 1)", name="accounts_sign"),
    )
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ledger_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.ledgers.id"))
    code: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    sign: Mapped[int] = mapped_column(SmallInteger)
    never_negative: Mapped[bool] = mapped_column(Boolean)
    day_limit: Mapped[Decimal | None] = mapped_column(Amount)


class EntryKind(Model):
    """A business event that may be booked."""

    __tablename__ = "entry_kinds"
    __table_args__ = within()
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, unique=True)


class Flow(Model):
    """What the posting function must watch for a kind in a ledger: derived from its first pair."""

    __tablename__ = "flows"
    __table_args__ = within()
    kind_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.entry_kinds.id"), primary_key=True, autoincrement=False
    )
    ledger_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.ledgers.id"), primary_key=True, autoincrement=False
    )
    source_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    """The user's account that the amount leaves and that may not fall below zero."""
    target_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    """The user's account that the amount enters and that may not fall below zero."""
    limited_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    """The account whose day limit the amount counts against."""
    day_limit: Mapped[Decimal | None] = mapped_column(Amount)
    reversible: Mapped[bool | None] = mapped_column(Boolean)


class Pair(Model):
    """A permitted pair: the posting that line `line` of a kind in a ledger makes."""

    __tablename__ = "pairs"
    __table_args__ = within(
        CheckConstraint("role IN ('amount', 'converted', 'fee')", name="pairs_role"),
        CheckConstraint("debit_account_id <> credit_account_id", name="pairs_differ"),
    )
    kind_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.entry_kinds.id"), primary_key=True, autoincrement=False
    )
    ledger_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.ledgers.id"), primary_key=True, autoincrement=False
    )
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    posting_ledger_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.ledgers.id"))
    debit_account_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    credit_account_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    role: Mapped[str] = mapped_column(Text)
    debit_sign: Mapped[int] = mapped_column(SmallInteger)
    """The account's sign where it is a user's, 0 where it is the company's."""
    credit_sign: Mapped[int] = mapped_column(SmallInteger)
    counts: Mapped[bool] = mapped_column(Boolean)
    """Whether the credit counts against the account's day limit."""


class FeeRule(Model):
    """What a kind of entry costs the company from `from_at` on. Never changed, never backdated."""

    __tablename__ = "fee_rules"
    __table_args__ = within(
        CheckConstraint("fixed >= 0 AND basis_points >= 0", name="fee_rules_not_negative"),
    )
    kind_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.entry_kinds.id"), primary_key=True, autoincrement=False
    )
    from_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    fixed: Mapped[Decimal] = mapped_column(Amount)
    basis_points: Mapped[int] = mapped_column(Integer)


class ClockShift(Model):
    """One row: how far the ledger clock is ahead of the machine's."""

    __tablename__ = "clock_shift"
    __table_args__ = within(CheckConstraint("id = 1", name="clock_shift_one_row"))
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    shift: Mapped[Any] = mapped_column(Interval)
    fixed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether production has fixed it: then it is never moved again."""


class ClosedHour(Model):
    """A UTC hour that nothing will be booked in any more."""

    __tablename__ = "closed_hours"
    __table_args__ = within()
    hour: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(Moment)


class ClosedTotal(Model):
    """All debits and credits of an account up to the end of a closed hour that touched it."""

    __tablename__ = "closed_totals"
    __table_args__ = within()
    account_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.accounts.id"), primary_key=True, autoincrement=False
    )
    hour: Mapped[datetime] = mapped_column(
        ForeignKey(f"{SCHEMA}.closed_hours.hour"), primary_key=True
    )
    debits: Mapped[Decimal] = mapped_column(Total)
    credits: Mapped[Decimal] = mapped_column(Total)


class HourRate(Model):
    """The one rate of an hour: USD for a token, with where it came from. Never changed."""

    __tablename__ = "hour_rates"
    __table_args__ = within(CheckConstraint("rate > 0", name="hour_rates_positive"))
    hour: Mapped[datetime] = mapped_column(
        ForeignKey(f"{SCHEMA}.closed_hours.hour"), primary_key=True
    )
    rate: Mapped[Decimal] = mapped_column(Numeric(36, 18))
    source: Mapped[str] = mapped_column(Text)
    source_time: Mapped[datetime | None] = mapped_column(Moment)
    payload_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[str | None] = mapped_column(Text)
    stored_at: Mapped[datetime] = mapped_column(Moment)


class Owner(Model):
    """For whom entries are made, and the head of their numbering. Locked by every posting."""

    __tablename__ = "owners"
    __table_args__ = within(postgresql_with={"fillfactor": 70})
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    last_booked_at: Mapped[datetime] = mapped_column(
        Moment, server_default=text("'-infinity'::timestamptz")
    )


class OwnerZone(Model):
    """A user's time zone from `from_at` on; the first one holds from minus infinity."""

    __tablename__ = "owner_zones"
    __table_args__ = within()
    owner_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.owners.owner_id"), primary_key=True, autoincrement=False
    )
    from_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    zone: Mapped[str] = mapped_column(Text)


class Entry(Model):
    """One business event. Its id outside is `<owner_id>-<seq>`."""

    __tablename__ = "entries"
    __table_args__ = within(
        UniqueConstraint("owner_id", "key_hash", name="entries_key"),
        CheckConstraint("seq > 0", name="entries_seq"),
        CheckConstraint("length(request_hash) = 32", name="entries_request_hash"),
        CheckConstraint("(reverses_seq IS NULL) = (kind_id <> 11)", name="entries_reverses"),
        Index(
            "entries_reversed_once",
            "owner_id",
            "reverses_seq",
            unique=True,
            postgresql_where=text("reverses_seq IS NOT NULL"),
        ),
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(Moment)
    booked_at: Mapped[datetime] = mapped_column(Moment)
    client_id: Mapped[int] = mapped_column(BigInteger)
    reverses_seq: Mapped[int | None] = mapped_column(BigInteger)
    day: Mapped[date] = mapped_column(Date)
    accounting_date: Mapped[date] = mapped_column(Date)
    kind_id: Mapped[int] = mapped_column(SmallInteger)
    key_hash: Mapped[Any] = mapped_column(Uuid)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    game: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


class Posting(Model):
    """An amount moved from a credit account to a debit account of one ledger and one owner."""

    __tablename__ = "postings"
    __table_args__ = within(
        CheckConstraint(f"amount BETWEEN 1 AND {MAX_AMOUNT}", name="postings_amount"),
        CheckConstraint("debit_account_id <> credit_account_id", name="postings_differ"),
        Index("postings_booked", "booked_at", postgresql_using="brin"),
        Index(
            "postings_wallet",
            "owner_id",
            "ledger_id",
            "booked_at",
            "seq",
            postgresql_where=text("ledger_id <> 3"),
        ),
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    booked_at: Mapped[datetime] = mapped_column(Moment)
    day: Mapped[date] = mapped_column(Date)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ledger_id: Mapped[int] = mapped_column(SmallInteger)
    debit_account_id: Mapped[int] = mapped_column(SmallInteger)
    credit_account_id: Mapped[int] = mapped_column(SmallInteger)
    amount: Mapped[Decimal] = mapped_column(Amount)
    debit_balance: Mapped[Decimal | None] = mapped_column(Total)
    """The debit account's balance after this posting, where it is a user's account."""
    credit_balance: Mapped[Decimal | None] = mapped_column(Total)
    provider: Mapped[str | None] = mapped_column(Text)


class AccountBalance(Model):
    """The live totals of a user's account."""

    __tablename__ = "account_balances"
    __table_args__ = within(
        CheckConstraint("NOT never_negative OR debits >= credits", name="account_balances_floor"),
        postgresql_with={"fillfactor": 70},
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    never_negative: Mapped[bool] = mapped_column(Boolean)
    debits: Mapped[Decimal] = mapped_column(Total)
    credits: Mapped[Decimal] = mapped_column(Total)


class DailyBalance(Model):
    """The debits and credits of a user's account on one local day."""

    __tablename__ = "daily_balances"
    __table_args__ = within(
        CheckConstraint("used BETWEEN 0 AND 5000000000000000000", name="daily_balances_limit"),
        postgresql_with={"fillfactor": 80},
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    daily_id: Mapped[str] = mapped_column(Text)
    """The day as DDMMYYYY. Not a generated column: PostgreSQL parses those anew at every update."""
    entries: Mapped[int] = mapped_column(Integer)
    debits: Mapped[Decimal] = mapped_column(Total)
    credits: Mapped[Decimal] = mapped_column(Total)
    used: Mapped[Decimal] = mapped_column(Total)
    """What counts against the account's day limit."""
