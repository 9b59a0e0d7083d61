"""What leaves in one piece: of people's data, and of the books, it is kept who took what."""

from collections.abc import Mapping
from typing import Any

from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts.sign_ins import masked


def record(action: str, target: str, filters: Mapping[str, Any]) -> None:
    """Keep that a file is taken, with the filters that are set; of an e-mail what its owner needs to know it."""
    told = {name: _told(value) for name, value in filters.items() if value}
    with runtime().engine.begin() as connection:
        audit.record(connection, action, target, after=told)


def _told(value: Any) -> Any:
    return masked(value) if isinstance(value, str) and "@" in value else value
