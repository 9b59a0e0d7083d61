"""Users: made, read and changed."""

from dreamland_client.answers import Profile, User
from dreamland_client.calls.base import Calls, path
from dreamland_client.reading import member, read


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
        email: str | None = None,
        time_zone: str | None = None,
    ) -> Profile:
        """Change what is given. A time zone holds from the end of the user's current day."""
        body = {"display_name": display_name, "email": email, "time_zone": time_zone}
        return read(Profile, self._send("PATCH", path("users", user_id), body).json)
