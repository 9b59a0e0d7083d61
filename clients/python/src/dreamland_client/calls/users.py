"""Users: made, read and changed."""

import json

from dreamland_client.answers import Profile, User
from dreamland_client.calls.base import Calls, given, path
from dreamland_client.reading import member, read
from dreamland_client.transport import Request


class Unchanged:
    """Stands for a field that is not to be changed, where None would remove it."""


UNCHANGED = Unchanged()


class Users(Calls):
    """Calls about users."""

    def create_user(
        self,
        *,
        external_id: str,
        display_name: str,
        time_zone: str = "UTC",
        email: str | None = None,
        region: str | None = None,
    ) -> User:
        """Make a user, or find the one that the same call made before. Raises UserExists."""
        body = {
            "external_id": external_id,
            "display_name": display_name,
            "time_zone": time_zone,
            "email": email,
            "region": region,
        }
        answer = self._send("POST", path("users"), body, is_repeatable=True)
        return read(User, member(answer.json, "user"))

    def user(self, user_id: str) -> Profile:
        """A user. Raises NotFound."""
        return read(Profile, self._get(path("users", user_id)))

    def change_user(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        email: str | Unchanged | None = UNCHANGED,
        time_zone: str | None = None,
    ) -> Profile:
        """Change what is given; an `email` of None removes it.

        A time zone holds from the end of the user's current day.
        """
        body: dict[str, str | None] = given({"display_name": display_name, "time_zone": time_zone})
        if not isinstance(email, Unchanged):
            body["email"] = email
        content = json.dumps(body).encode()
        answer = self._transport.call(Request("PATCH", path("users", user_id), body=content))
        return read(Profile, answer.json)
