"""The tables that are not the ledger's: people, API clients and the progress of conversions.

The app's role may write these. Money is not here: a user's books are under the same id in `ledger`.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model, db

Moment = DateTime(timezone=True)
Total = Numeric()


user_numbers = Sequence("user_numbers", metadata=db.metadata)


class User(Model):
    """A user of the games. `id` is the owner of the user's books; its top bits are the region of birth."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    external_id: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    region: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)
    creation_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the request that made the user: the same request again is the same user."""


class SignIn(Model):
    """An e-mail and password for the portal: a user's, or a member of staff's."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        CheckConstraint(
            "role IN ('user', 'viewer', 'accountant', 'approver', 'admin')", name="sign_ins_role"
        ),
        CheckConstraint("(role = 'user') = (user_id IS NOT NULL)", name="sign_ins_user"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class ApiClient(Model):
    """A game server, say. Idempotency keys belong to it and survive the rotation of its secrets."""

    __tablename__ = "api_clients"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class ApiKey(Model):
    """A secret of an API client; only its SHA-256 is kept."""

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("api_clients.id"), index=True)
    prefix: Mapped[str] = mapped_column(Text)
    """The first characters of the key, by which people tell keys apart."""
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class ConversionRun(Model):
    """The conversion of one hour. Sums are those of its own postings, in base units."""

    __tablename__ = "conversion_runs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('due', 'running', 'waiting_for_rate', 'failed', 'done')",
            name="conversion_runs_state",
        ),
    )
    hour: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    users: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    tokens: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    usd: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    fees: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    residue: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    """USD base units, with decimals, that rounding down left: tokens x rate = usd + residue."""
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it waits or failed, in a line for an admin."""
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class ConversionChunk(Model):
    """A range of owners of a run, converted in one transaction."""

    __tablename__ = "conversion_chunks"
    __table_args__ = (
        Index(
            "conversion_chunks_open",
            "hour",
            "number",
            postgresql_where=text("finished_at IS NULL"),
        ),
    )
    hour: Mapped[datetime] = mapped_column(ForeignKey("conversion_runs.hour"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    after_owner: Mapped[int] = mapped_column(BigInteger)
    upto_owner: Mapped[int] = mapped_column(BigInteger)
    users: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    tokens: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    usd: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    fees: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    residue: Mapped[Decimal] = mapped_column(Total, server_default=text("0"))
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
