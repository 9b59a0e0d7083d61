"""Mail to people: queued in the transaction of what it tells of."""

from typing import Any

from sqlalchemy import Connection, insert

from portal import ledger
from portal.services.models import Mail


def queue(
    connection: Connection, kind: str, email: str, link_id: int | None = None, **facts: Any
) -> None:
    """Have a mail sent once the transaction has committed."""
    now = ledger.now(connection)
    row = {"kind": kind, "email": email, "link_id": link_id, "facts": facts}
    connection.execute(insert(Mail).values(created_at=now, next_at=now, **row))
