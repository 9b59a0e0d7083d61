"""What stands beside the entries of credits: open holds and claimed payments."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.ledger.models.types import Amount, Moment, within


class Hold(Model):
    """Credits set aside for a spend to come; open until a capture or release ends it.

    The row follows from its entries: it is what tells, at no cost, which holds are open and due.
    """

    __tablename__ = "holds"
    __table_args__ = within(
        Index("holds_due", "expires_at", postgresql_where=text("ended_seq IS NULL")),
        Index("holds_wallet", "owner_id", "ledger_id", "seq"),
        postgresql_with={"fillfactor": 80},
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    ended_seq: Mapped[int | None] = mapped_column(BigInteger)
    ledger_id: Mapped[int] = mapped_column(SmallInteger)
    amount: Mapped[Decimal] = mapped_column(Amount)


class PaymentClaim(Model):
    """A payment reference, taken for the one top-up it may be used for: whose, and by which key."""

    __tablename__ = "payment_claims"
    __table_args__ = within(Index("payment_claims_owner", "owner_id", "key_hash"))
    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    key_hash: Mapped[Any] = mapped_column(Uuid)
    claimed_at: Mapped[datetime] = mapped_column(Moment)
