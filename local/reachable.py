"""Whether a server that somebody else runs answers. Never prints a password."""

import re
from urllib.parse import unquote

CONNECT_SECONDS = 5


class UnreachableError(Exception):
    """Why, in a few words."""


def check_database(url: str) -> None:
    """Connect to PostgreSQL once; URLs with a driver's name (postgresql+psycopg2://) will do."""
    import psycopg2  # noqa: PLC0415 - most commands use servers known to be up

    try:
        psycopg2.connect(plain(url), connect_timeout=CONNECT_SECONDS).close()
    except psycopg2.Error as error:
        raise UnreachableError(one_line(error, url)) from error


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
        raise UnreachableError(one_line(error, url)) from error


def plain(url: str) -> str:
    """The URL as libpq understands it."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


def without_secrets(url: str) -> str:
    """The URL with its user, password and options left out, also where it is not quite one."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "not a URL"
    if "password=" in rest:
        rest = rest.partition("?")[0]
    return f"{scheme}://{re.split('[?#]', rest.rpartition('@')[2])[0]}"


def one_line(error: Exception, url: str) -> str:
    """An error's first line, without the password."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets(url: str) -> set[str]:
    """A URL's password as written, decoded, and in the pieces that a wrong URL is taken apart into."""
    before_host, _, after = url.partition("://")[2].rpartition("@")
    written = before_host.partition(":")[2]
    options = re.findall(r"password=([^&\s]+)", after)
    pieces = [written, *options, *re.split(r"[/?#@:]", written)]
    return {each for piece in pieces for each in (piece, unquote(piece)) if each}
