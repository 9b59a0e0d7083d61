"""What leaves in one piece: of people's data, and of the books, it is kept who took what."""

from collections.abc import Mapping
from typing import Any

from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts.sign_ins import masked
from portal.services.search import shown_of_key


def record(action: str, target: str, filters: Mapping[str, Any]) -> None:
    """Keep that a file is taken, with the filters that are set; of an e-mail or an API key what one knows it by."""
    told = {name: _told(value) for name, value in filters.items() if value}
    with runtime().engine.begin() as connection:
        audit.record(connection, action, target, after=told)


def _told(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return shown_of_key(value) or (masked(value) if "@" in value else value)
