"""A database on somebody's own server: made if it is missing, and fit to be migrated.

What a migration would fail on half way is asked beforehand, and said in one line with the
statement that an administrator can mend it with.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from local.errors import LocalError
from local.reachable import CONNECT_SECONDS, UnreachableError, one_line, plain

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in all but name

APP_ROLE = "dreamland_app"
OLDEST = 15
ADMIN_OPTION_DECIDES = 16  # before, CREATEROLE was enough to grant any role

FACTS = """
SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
       quote_ident(current_user), quote_ident(current_database()), r.rolsuper, r.rolcreaterole,
       to_regnamespace('ledger') IS NOT NULL,
       has_database_privilege(current_database(), 'CREATE')
           AND has_schema_privilege('public', 'CREATE'),
       a.oid IS NOT NULL, coalesce(pg_has_role(r.oid, a.oid, 'MEMBER'), false),
       coalesce(pg_has_role(r.oid, a.oid, 'MEMBER WITH ADMIN OPTION'), false)
FROM pg_roles r LEFT JOIN pg_roles a ON a.rolname = %s WHERE r.rolname = current_user
"""


class Facts(NamedTuple):
    """A server and a database as their user finds them; names are quoted for SQL."""

    version: int
    encoding: str
    user: str
    database: str
    is_superuser: bool
    may_create_roles: bool
    is_migrated: bool
    may_create_here: bool
    has_role: bool
    is_member: bool
    may_grant: bool


def make_ready(url: str) -> bool:
    """Make the database if it is missing, and see that it can be migrated; True if it was made.

    Raises LocalError, UnreachableError.
    """
    was_made = make(url)
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(FACTS, (APP_ROLE,))
        facts = Facts(*(cursor.fetchone() or ()))
    for problem in problems(facts):
        raise LocalError(problem)
    return was_made


def make(url: str) -> bool:
    """Make the database that the URL names, unless it is there."""
    import psycopg2  # noqa: PLC0415 - most commands need no driver
    from psycopg2 import errors, sql  # noqa: PLC0415

    try:
        connect(url).close()
    except UnreachableError:
        name = name_of(url)
        beside = _server(url, name)
        if beside is None:
            raise
    else:
        return False
    with closing(beside), beside.cursor() as cursor:
        # template0: the only one that can be copied in any encoding, and while others are at work.
        statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
        try:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
        except errors.DuplicateDatabase:  # somebody else's setup was quicker
            return False
        except psycopg2.Error as error:
            advice = f'An administrator can: CREATE DATABASE "{name}" OWNER "{beside.info.user}"'
            reason = one_line(error, url)
            raise LocalError(f"cannot create the database {name}: {reason}. {advice}") from error
    return True


def name_of(url: str) -> str:
    """The database that the URL names."""
    from psycopg2.extensions import parse_dsn  # noqa: PLC0415 - as above

    return str(parse_dsn(plain(url)).get("dbname", ""))


def _server(url: str, name: str) -> "Connection | None":
    """A connection to the server beside a database that it does not have; None if it has it."""
    for maintenance in ("postgres", "template1"):
        with suppress(UnreachableError):
            connection = connect(url, maintenance)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
                if name and cursor.fetchone() is None:
                    return connection
            connection.close()
            return None
    return None


def connect(url: str, database: str | None = None) -> "Connection":
    """Connect to the URL's database, or to another one of its server."""
    import psycopg2  # noqa: PLC0415 - as above
    from psycopg2.extensions import make_dsn  # noqa: PLC0415

    try:
        other = make_dsn(plain(url), connect_timeout=CONNECT_SECONDS, dbname=database)
        return psycopg2.connect(other)
    except psycopg2.Error as error:
        raise UnreachableError(one_line(error, url)) from error


def problems(facts: Facts) -> Iterator[str]:
    """Why a migration would fail here."""
    user, role = facts.user, APP_ROLE
    if facts.version < OLDEST:
        yield f"the server is PostgreSQL {facts.version}; Dreamland needs {OLDEST} or newer."
    if facts.encoding != "UTF8":
        yield f"the database {facts.database} is encoded in {facts.encoding}, not UTF8: name a new one."
    if facts.is_migrated:
        return
    if not facts.may_create_here:
        mend = f"ALTER DATABASE {facts.database} OWNER TO {user}"
        yield f"{user} may not create tables in {facts.database}. An administrator can: {mend}"
    makes_role = facts.is_superuser or facts.may_create_roles
    if not facts.has_role and not makes_role:
        mend = f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user}"
        yield f"{user} may not create the role that the app acts in. An administrator can: {mend}"
    grants = makes_role if facts.version < ADMIN_OPTION_DECIDES else facts.is_superuser
    if facts.has_role and not (facts.is_member or facts.may_grant or grants):
        yield f"{user} is no member of {role}. An administrator can: GRANT {role} TO {user}"
