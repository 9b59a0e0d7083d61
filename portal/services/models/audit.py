"""The audit log: what staff did, and what touched the security of an account. Only ever added to."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import Moment


class AuditEvent(Model):
    """Who did what to what, when, from where; with what it was before and after."""

    __tablename__ = "audit_events"
    __table_args__ = (
        CheckConstraint(
            "actor IN ('person', 'command_line', 'client', 'system')", name="audit_events_actor"
        ),
        Index("audit_events_at", "at", "id"),
        Index("audit_events_person", "sign_in_id", "at", "id"),
        Index("audit_events_action", "action", "at", "id"),
        Index(
            "audit_events_name",
            "actor_name",
            "at",
            "id",
            postgresql_where=text("actor_name IS NOT NULL"),
        ),
        Index("audit_events_target", "target", "target_id", "at", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(Text)
    sign_in_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of a person. No foreign key: it stays when the sign-in goes."""
    actor_name: Mapped[str | None] = mapped_column(Text)
    """Of whom is no person: `root@host`, a client's name."""
    role: Mapped[str | None] = mapped_column(Text)
    """What a person was then."""
    action: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    """What kind of thing it was done to: `sign_in`, `key`, `hour`."""
    target_id: Mapped[str | None] = mapped_column(Text)
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    address: Mapped[str | None] = mapped_column(Text)
    browser: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
