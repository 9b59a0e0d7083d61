"""API clients and their keys."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model
from portal.services.models.types import Moment


class ApiClient(Model):
    """A game server, say. Idempotency keys belong to it and survive the rotation of its secrets."""

    __tablename__ = "api_clients"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    games: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The games it may book wins of; NULL: any. So with regions and networks."""
    regions: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    networks: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """CIDR blocks that its calls may come from."""
    rate_limit: Mapped[int | None] = mapped_column(Integer)
    """Requests a minute; NULL: the setting's, 0: no limit."""


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
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the overlap ends in which it still works beside the key that replaces it."""
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    form_id: Mapped[str | None] = mapped_column(Text, unique=True)
    """Of the form that it was made by: sent again, that makes no other."""
