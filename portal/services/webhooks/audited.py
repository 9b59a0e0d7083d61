"""What the audit log keeps of a webhook endpoint."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from portal.services import audit

if TYPE_CHECKING:
    from portal.services.webhooks.endpoints import Endpoint


def record(
    connection: Connection, what: str, before: "Endpoint | None", after: "Endpoint | None"
) -> None:
    """Record that an endpoint was made, changed, rotated or deleted, in the transaction of that."""
    endpoint = after or before
    assert endpoint is not None
    audit.record(
        connection,
        f"webhook_endpoint.{what}",
        "webhook_endpoint",
        endpoint.id,
        _told(before) if before else None,
        _told(after) if after else None,
    )


def record_replay(connection: Connection, endpoint: "Endpoint", since: datetime) -> None:
    """Record that all that was booked since a time is sent again."""
    asked = {"client_id": endpoint.client_id, "since": since}
    audit.record(
        connection, "webhook_endpoint.replayed", "webhook_endpoint", endpoint.id, after=asked
    )


def _told(endpoint: "Endpoint") -> dict[str, Any]:
    return {
        "client_id": endpoint.client_id,
        "url": shown_url(endpoint.url),
        "description": endpoint.description,
        "events": endpoint.events,
        "state": endpoint.state,
        "signed_by": endpoint.secret_version,
    }


def shown_url(url: str) -> str:
    """A URL without its query, where a receiver may want a secret."""
    shown, _, query = url.partition("?")
    return f"{shown}?…" if query else shown
