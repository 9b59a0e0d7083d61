"""Webhooks: where events are sent to, and how far they got."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import ZERO, Moment


class WebhookEndpoint(Model):
    """An address that a client's events are sent to, in the order of the feed.

    `read_*` is the position in the feed up to which every event was delivered, or waits in
    `webhook_stalls` because its user's did not get through.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("state IN ('enabled', 'disabled')", name="webhook_endpoints_state"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("api_clients.id"), index=True)
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    events: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The types it wants; NULL: all."""
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    secret_version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    """Secrets are derived from SECRET_KEY, the id and this number: none is stored."""
    old_secret_until: Mapped[datetime | None] = mapped_column(Moment)
    """Until then the secret of the version before signs as well."""
    read_at: Mapped[datetime] = mapped_column(Moment)
    read_owner: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    read_seq: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    attempts: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    """Failures in a row, with no success of anything between."""
    failing_since: Mapped[datetime | None] = mapped_column(Moment)
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    """When it is tried again, after a failure."""
    last_success_at: Mapped[datetime | None] = mapped_column(Moment)
    last_failure_at: Mapped[datetime | None] = mapped_column(Moment)
    last_failure: Mapped[str | None] = mapped_column(Text)
    disabled_reason: Mapped[str | None] = mapped_column(Text)


class WebhookStall(Model):
    """A user whose next event an endpoint did not take, while it takes those of others."""

    __tablename__ = "webhook_stalls"
    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), primary_key=True
    )
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    """The first entry whose event is still to be delivered."""
    attempts: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime] = mapped_column(Moment)
    last_failure: Mapped[str] = mapped_column(Text)
