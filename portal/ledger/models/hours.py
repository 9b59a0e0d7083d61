"""The clock, the hours and what is kept by hour."""

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
    Interval,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model, db
from portal.ledger.models.types import SCHEMA, Moment, Total, within


class ClockShift(Model):
    """One row: how far the ledger clock is ahead of the machine's."""

    __tablename__ = "clock_shift"
    __table_args__ = within(CheckConstraint("id = 1", name="clock_shift_one_row"))
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    shift: Mapped[Any] = mapped_column(Interval)
    fixed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether production has fixed it: then it is never moved again."""


clock_floor = Sequence(
    "clock_floor", schema=SCHEMA, minvalue=0, start=0, metadata=db.metadata, data_type=BigInteger
)
"""Microseconds since 1970 that the ledger clock never reads less than: `ledger.mark()`."""


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


class LateTotal(Model):
    """What a closed hour booked into an account for an earlier accounting date than its own.

    Few or none: only these tell the books by accounting date from those by the booked clock.
    """

    __tablename__ = "late_totals"
    __table_args__ = within(
        CheckConstraint(
            "accounting_date < (hour AT TIME ZONE 'UTC')::date", name="late_totals_earlier"
        ),
        Index("late_totals_dates", "accounting_date"),
    )
    account_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.accounts.id"), primary_key=True, autoincrement=False
    )
    accounting_date: Mapped[date] = mapped_column(Date, primary_key=True)
    hour: Mapped[datetime] = mapped_column(
        ForeignKey(f"{SCHEMA}.closed_hours.hour"), primary_key=True
    )
    debits: Mapped[Decimal] = mapped_column(Total)
    credits: Mapped[Decimal] = mapped_column(Total)


class FeeTotal(Model):
    """What a closed hour booked in the ledger of fees, by all that finance asks for it by."""

    __tablename__ = "fee_totals"
    __table_args__ = within()
    hour: Mapped[datetime] = mapped_column(
        ForeignKey(f"{SCHEMA}.closed_hours.hour"), primary_key=True
    )
    kind_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.entry_kinds.id"), primary_key=True, autoincrement=False
    )
    debit_account_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.accounts.id"), primary_key=True, autoincrement=False
    )
    credit_account_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.accounts.id"), primary_key=True, autoincrement=False
    )
    region: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    """What the ids of the owners begin with."""
    accounting_date: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    """Empty where the posting names none."""
    game: Mapped[str] = mapped_column(Text, primary_key=True)
    """As the entry named it when the hour closed; empty where it names none."""
    entries: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal] = mapped_column(Total)


class ClosedPeriod(Model):
    """A UTC month whose books are closed: no entry has an accounting date in it any more."""

    __tablename__ = "closed_periods"
    __table_args__ = within(
        CheckConstraint("extract(day FROM month) = 1", name="closed_periods_month")
    )
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(Moment)


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
