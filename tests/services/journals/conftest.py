"""hledger, and journals as files. Where no hledger can be had, its tests say so and the others go on."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from local import hledger as installed
from portal.ledger import Range
from portal.services import journals
from tests.obtained import obtained

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def hledger(request: pytest.FixtureRequest) -> Path:
    """The program's; a test that can't have it says so, and where it is required it fails."""
    return obtained(request, installed, "hledger")


@pytest.fixture
def write(engine: Engine, tmp_path: Path) -> Write:
    """Writes the journal of a ledger (None: of all) and a range, checked, as a file."""

    def written(form: str, ledger: str | None, first: date, last: date) -> Path:
        wanted = Range(ledger, first, last)
        file = tmp_path / f"books.{form}"
        with engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
            journals.check(snapshot, wanted, form)
            with file.open("w", encoding="utf-8", newline="") as out:
                out.writelines(journals.lines(snapshot, wanted, form, ["of a test"]))
        return file

    return written
