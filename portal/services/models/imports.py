"""Imports: files of wins, the chunks they are booked in, and what was refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import ZERO, Moment


class Import(Model):
    """A file of wins that a client sent to be booked."""

    __tablename__ = "imports"
    __table_args__ = (
        UniqueConstraint("client_id", "key_hash"),
        CheckConstraint("state IN ('queued', 'running', 'done')", name="imports_state"),
        CheckConstraint("format IN ('csv', 'jsonl')", name="imports_format"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("api_clients.id"))
    key_hash: Mapped[Any] = mapped_column(Uuid)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of format and content: the same key with another file is refused."""
    format: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    lines: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class ImportChunk(Model):
    """Lines of an import that are booked in one batch. The content goes once they are."""

    __tablename__ = "import_chunks"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_line: Mapped[int] = mapped_column(Integer)
    lines: Mapped[int] = mapped_column(Integer)
    content: Mapped[str | None] = mapped_column(Text)
    posted: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    replayed: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    rejected: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class ImportRefusal(Model):
    """A line of an import that was not booked, and why."""

    __tablename__ = "import_refusals"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    param: Mapped[str | None] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    """The line as it was sent."""
