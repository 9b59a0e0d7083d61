"""What the calls of users answer."""

from typing import Annotated

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer


class User(Answer):
    """A user."""

    id: v.UserId
    external_id: Annotated[str, v.said("The user's id in your own system.", "player-1")]
    display_name: Annotated[str, v.said("The name that is shown.", "Ida")]
    email: Annotated[str | None, v.said("The e-mail address, if any.", "ida@example.com")]
    time_zone: Annotated[
        str, v.said("The time zone in force now: a name of the IANA database.", "Europe/Berlin")
    ]
    region: Annotated[str, v.said("Where the user's books are kept.", "global")]
    created_at: v.CreatedAt


class ZoneChange(Answer):
    """A time zone that will be in force."""

    time_zone: Annotated[str, v.said("The zone to come.", "Asia/Tokyo")]
    start: Annotated[
        str,
        Field(alias="from"),
        v.said("When the user's local day ends. RFC 3339.", "2026-11-21T23:00:00Z"),
        Field(json_schema_extra={"format": "date-time"}),
    ]


class UserAnswer(Answer):
    """A user that was made, or was there."""

    user: User


class ProfileAnswer(Answer):
    """A user, and the change of time zone that is to come."""

    user: User
    time_zone_change: ZoneChange | None = Field(description="The change to come, null if none.")
