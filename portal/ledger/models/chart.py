"""The chart of accounts in tables: assets, ledgers, accounts, kinds, pairs, fee rules."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.ledger.models.types import SCHEMA, Amount, Moment, within


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
    __table_args__ = within(
        CheckConstraint("hold IN ('opens', 'captures', 'releases')", name="flows_hold"),
    )
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
    available_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    """The account of the user's wallet in the ledger: of what may be spent, where some is held."""
    held_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"))
    """The wallet's other account: of what holds have set aside."""
    hold: Mapped[str | None] = mapped_column(Text)
    """What the kind does to a hold: opens, captures or releases."""
    names_provider: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether an entry names the provider of a payment, which its key has claimed."""


class Pair(Model):
    """A permitted pair: the posting that line `line` of a kind in a ledger makes."""

    __tablename__ = "pairs"
    __table_args__ = within(
        CheckConstraint("role IN ('amount', 'converted', 'fee', 'rest')", name="pairs_role"),
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
    wallet: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether it moves a wallet of two accounts: the posting then keeps the wallet's balance."""


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
