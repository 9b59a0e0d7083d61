"""Users: made, read and changed."""

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify
from pydantic import Field

from portal.api import callers, etags, requests
from portal.api.fields import Body, EmailText, ShortText, moment
from portal.api.problems import Problem
from portal.services import users, versions

blueprint = Blueprint("users", __name__)

ZoneName = Annotated[str, Field(min_length=1, max_length=64)]


class NewUser(Body):
    external_id: ShortText
    display_name: ShortText
    time_zone: ZoneName = "UTC"
    email: EmailText | None = None
    region: Annotated[str, Field(max_length=64)] | None = None


class UserChange(Body):
    display_name: ShortText | None = None
    email: EmailText | None = None
    time_zone: ZoneName | None = None


@blueprint.post("/users")
@requests.scope("users:write")
def post_user() -> tuple[Response, int]:
    body = requests.body(NewUser)
    callers.permit_region(body.region)
    user, created = users.create(**body.model_dump())
    return jsonify(user=_user(user)), 201 if created else 200


@blueprint.get("/users/<user_id>")
@requests.scope("read")
@etags.polled(versions.of_user)
def get_user(user_id: str) -> Response:
    requests.only()
    return _profile(users.get(users.parse_id(user_id)))


@blueprint.patch("/users/<user_id>")
@requests.scope("users:write")
def patch_user(user_id: str) -> Response:
    changes = requests.body(UserChange).model_dump(exclude_unset=True)
    for name in ("display_name", "time_zone"):
        if name in changes and changes[name] is None:
            raise Problem("validation_failed", f"{name} can't be null", param=name)
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
