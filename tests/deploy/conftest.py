"""What the tests of deploy/ share: names of databases that the server does not have yet."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, create_engine, text


def statement(server: URL, sql: str) -> None:
    """Run one on the server's own database, outside of any transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


def plain(url: URL) -> str:
    """As a person writes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def missing_database(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A database that is not there; dropped at the end if the test had it made."""
    name = f"dreamland_{tmp_path_factory.mktemp('own').name}_{tmp_path_factory.getbasetemp().name}"
    url = server.set(database=name.replace("-", "_"))
    yield url
    statement(server, f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')
