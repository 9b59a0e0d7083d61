"""The books: owners, entries, postings and the balances that follow from them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.ledger.amounts import MAX_AMOUNT
from portal.ledger.models.types import SCHEMA, Amount, Moment, Total, within

SUMMARIZED = {"pages_per_range": 32, "autosummarize": "on"}
"""Of indexes by range of pages: a range is summed up once it is full, not at the next vacuum."""


def _bloom(name: str, key: Any, operators: str) -> Index:
    """An index that finds a value without its owner, and costs a posting nothing: a search reads 32
    pages where it may be, and of each other range a filter of 4 KB.

    A range has some 1,700 entries. Filters as PostgreSQL would make them let 9 ranges in 100 through.
    """
    return Index(
        name,
        key.label("sought"),
        postgresql_using="brin",
        postgresql_with=SUMMARIZED,
        postgresql_ops={
            "sought": f"{operators} (n_distinct_per_range = 2000, false_positive_rate = 0.001)"
        },
    )


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
        CheckConstraint("(hold_seq IS NULL) = (kind_id NOT IN (7, 8))", name="entries_hold"),
        Index(
            "entries_ended_once",
            "owner_id",
            "hold_seq",
            unique=True,
            postgresql_where=text("hold_seq IS NOT NULL"),
        ),
        Index("entries_feed", "booked_at", "owner_id", "seq"),
        Index(
            "entries_late",
            "booked_at",
            postgresql_where=text("accounting_date < (booked_at AT TIME ZONE 'UTC')::date"),
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
    hold_seq: Mapped[int | None] = mapped_column(BigInteger)
    """The hold that a capture or release ends."""


# The key as bytes: as what it is, it would be looked for in all of `entries_key`, which has it second.
_bloom("entries_key_bloom", func.uuid_send(Entry.key_hash), "bytea_bloom_ops")
_bloom("entries_reference_bloom", Entry.reference, "text_bloom_ops")


class Posting(Model):
    """An amount moved from a credit account to a debit account of one ledger and one owner."""

    __tablename__ = "postings"
    __table_args__ = within(
        CheckConstraint(f"amount BETWEEN 1 AND {MAX_AMOUNT}", name="postings_amount"),
        CheckConstraint("debit_account_id <> credit_account_id", name="postings_differ"),
        Index("postings_booked", "booked_at", postgresql_using="brin", postgresql_with=SUMMARIZED),
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
    """Who is owed the fee, or took the payment of a top-up."""
    wallet_balance: Mapped[Decimal | None] = mapped_column(Total)
    """What the user's wallet holds after this posting's entry, where it has two accounts."""


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
