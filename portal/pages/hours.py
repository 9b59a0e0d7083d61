"""UTC hours in addresses: `2026-11-21T17:00Z`."""

from datetime import UTC, datetime

from flask import abort, request

from portal.pages import lists

FORM = "%Y-%m-%dT%H:00Z"


def name(hour: datetime) -> str:
    """An hour as addresses say it."""
    return hour.astimezone(UTC).strftime(FORM)


def of(found: str) -> datetime:
    """The hour of an address; else there is nothing at it."""
    try:
        made = datetime.strptime(found, FORM).replace(tzinfo=UTC)
    except ValueError:
        abort(404)
    if name(made) != found or not lists.FIRST_YEAR <= made.year <= lists.LAST_YEAR:
        abort(404)
    return made


def before() -> datetime | None:
    """The hour that a page of a list begins below."""
    found = request.args.get("before")
    return None if found is None else of(found)
