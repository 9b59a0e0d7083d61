"""Verifications of the books: each one that was run, with what it found."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import ZERO, Moment


class Verification(Model):
    """One run of `verify`: what it read, and what differs. Never changed once it has ended."""

    __tablename__ = "verifications"
    __table_args__ = (
        CheckConstraint(
            "state IN ('running', 'clean', 'differs', 'failed')", name="verifications_state"
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    last_closed_hour: Mapped[datetime | None] = mapped_column(Moment)
    postings: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    entries: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    owners: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    found: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    """How many differences; the first of them are in `differences`."""
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it failed, in a line."""
    differences: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
