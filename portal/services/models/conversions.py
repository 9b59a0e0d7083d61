"""The progress of conversions."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import ZERO, Moment, Total


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
    users: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    tokens: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    usd: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    fees: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    residue: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
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
    users: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    tokens: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    usd: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    fees: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    residue: Mapped[Decimal] = mapped_column(Total, server_default=ZERO)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
