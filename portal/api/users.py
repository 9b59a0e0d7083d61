"""Users: made, read and changed."""

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify
from pydantic import Field

from portal.api import callers, etags, requests
from portal.api import vocabulary as v
from portal.api.answers.users import ProfileAnswer, UserAnswer
from portal.api.calls import call
from portal.services import users, versions
from portal.services.fields import Body, EmailText
from portal.services.written import moment

blueprint = Blueprint("users", __name__)

Email = Annotated[EmailText | None, v.said("An e-mail address.", "ida@example.com")]
Region = Annotated[
    Annotated[str, Field(max_length=64)] | None,
    v.said("Where the user's books are kept; null is the first region.", None),
]


class NewUser(Body):
    """A user to be made."""

    external_id: v.ExternalId
    display_name: v.DisplayName
    time_zone: v.ZoneName = "UTC"
    email: Email = None
    region: Region = None


LEFT_OUT: Any = Field(default=None)
"""A field that may be left out, and may not be null where it is there."""


class UserChange(Body):
    """What is to change; what is not named stays."""

    display_name: v.DisplayName = LEFT_OUT
    email: Email = None
    time_zone: v.ZoneName = LEFT_OUT


@blueprint.post("/users")
@requests.scope("users:write")
@call(
    body=NewUser,
    answers={201: UserAnswer, 200: UserAnswer},
    codes=("user_exists",),
    leads={"user_id": "user/id"},
)
def post_user() -> tuple[Response, int]:
    """Make a user.

    The same request again answers 200 with the same user, so it is safe to repeat.
    """
    body = requests.body(NewUser)
    callers.permit_region(body.region)
    user, created = users.create(**body.model_dump())
    return jsonify(user=_user(user)), 201 if created else 200


@blueprint.get("/users/<user_id>")
@requests.scope("read")
@call(answers={200: ProfileAnswer}, codes=("validation_failed",), conditional=True)
@etags.polled(versions.of_user)
def get_user(user_id: str) -> Response:
    """Read a user.

    With the change of time zone that is to come, if any.
    """
    requests.only()
    return _profile(users.get(users.parse_id(user_id)))


@blueprint.patch("/users/<user_id>")
@requests.scope("users:write")
@call(body=UserChange, answers={200: ProfileAnswer})
def patch_user(user_id: str) -> Response:
    """Change a user.

    The name, e-mail address or time zone. A new zone holds from the end of the current local day; it can change once in 30 days.
    """
    changes = requests.body(UserChange).model_dump(exclude_unset=True)
    return _profile(users.change(users.parse_id(user_id), changes))


def _profile(user: users.Profile) -> Response:
    change = user.change and {
        "time_zone": user.change.time_zone,
        "from": moment(user.change.start),
    }
    return jsonify(user=_user(user), time_zone_change=change)


def _user(user: users.Profile) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "external_id": user.external_id,
        "display_name": user.display_name,
        "email": user.email,
        "time_zone": user.time_zone,
        "region": user.region,
        "created_at": moment(user.created_at),
    }
