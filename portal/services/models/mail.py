"""Mail to people, and the links in it that may be used once."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import ZERO, Moment


class Link(Model):
    """What its holder may do once, by opening an address. The address is derived: no secret is stored."""

    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('sign_up', 'invitation', 'reset', 'email_change')", name="links_kind"
        ),
        CheckConstraint(
            "role IN ('user', 'viewer', 'accountant', 'approver', 'admin')", name="links_role"
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text, index=True)
    """To whom it was sent, in small letters: who opens it reads that mail."""
    sign_in_id: Mapped[int | None] = mapped_column(ForeignKey("sign_ins.id"), index=True)
    """Whose password or e-mail it changes."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """The user of the games that an invitation is for."""
    role: Mapped[str | None] = mapped_column(Text)
    """What an invitation makes of its holder."""
    name: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Mail(Model):
    """A mail to be sent; written with what it tells of, gone a while after it was sent."""

    __tablename__ = "mails"
    __table_args__ = (Index("mails_due", "next_at", postgresql_where=text("sent_at IS NULL")),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    """Which text: portal/templates/mail/<kind>.txt."""
    email: Mapped[str] = mapped_column(Text)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id"), index=True)
    facts: Mapped[Any] = mapped_column(JSONB, server_default=text("'{}'"))
    """What the text names."""
    created_at: Mapped[datetime] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    next_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed."""
