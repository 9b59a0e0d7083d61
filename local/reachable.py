"""Whether a server that somebody else runs answers. Never prints a password."""

import re
from urllib.parse import urlsplit, urlunsplit

CONNECT_SECONDS = 5


class UnreachableError(Exception):
    """Why, in a few words."""


def check_database(url: str) -> None:
    """Connect to PostgreSQL once; URLs with a driver's name (postgresql+psycopg2://) will do."""
    import psycopg2  # noqa: PLC0415 - most commands use servers known to be up

    try:
        psycopg2.connect(plain(url), connect_timeout=CONNECT_SECONDS).close()
    except psycopg2.Error as error:
        raise UnreachableError(_one_line(error, url)) from error


def check_redis(url: str) -> None:
    """Ping Redis once."""
    import redis  # noqa: PLC0415 - as above

    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        )
        with client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise UnreachableError(_one_line(error, url)) from error


def plain(url: str) -> str:
    """The URL as libpq understands it."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


def without_secrets(url: str) -> str:
    """The URL with its user, password and options left out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "not a URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _one_line(error: Exception, url: str) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    try:
        password = urlsplit(url).password
    except ValueError:
        return "it is not a URL"
    return text.replace(password, "***") if password else text
