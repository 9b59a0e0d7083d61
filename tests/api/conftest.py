"""What the API's tests share: an app on a database of the module's own, and a caller of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, create_engine, text
from werkzeug.test import TestResponse

from portal import create_app
from portal.services import clients
from tests.api.contract import Contract
from tests.conftest import settings_for
from tests.factories import Books

COUNTS = """
SELECT string_agg(format('SELECT %L, count(*) FROM %I.%I', schemaname || '.' || tablename, schemaname, tablename),
                  ' UNION ALL ')
FROM pg_tables WHERE schemaname IN ('ledger', 'public')
"""
OUTSIDE = ("/healthz", "/readyz", "/openapi.json", "/docs", "/static", "//", "/nothing")


@dataclass
class Api:
    """Calls the API with a key of every scope, unless a call says otherwise.

    Each answer is held against the API's own document.
    """

    app: Flask
    owner: Engine
    token: str
    books: Books
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.contract = Contract(self.app)

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        token: str | None = "",
        **options: Any,
    ) -> TestResponse:
        """Send a request; `path` is below /api/v1 unless it starts elsewhere."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token or self.token}")
        if key is not None:
            headers["Idempotency-Key"] = key
        path = path if path.startswith(OUTSIDE) else f"/api/v1{path}"
        answer = self.app.test_client().open(path, method=method, headers=headers, **options)
        self.contract.check(method, path, answer)
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def read(self, path: str) -> Any:
        """The answer of a GET that must succeed."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: object, **options: Any) -> TestResponse:
        return self.call("POST", path, json=body, **options)

    def new_key(self) -> str:
        return f"key-{next(self.numbers)}"

    def user(self, zone: str = "UTC", **fields: object) -> str:
        """The id of a new user."""
        number = next(self.numbers)
        body = {"external_id": f"x{number}", "display_name": f"User {number}", "time_zone": zone}
        made = self.post("/users", body | fields)
        assert made.status_code == 201, made.text
        return str(made.json["user"]["id"])

    def now(self) -> datetime:
        return self.books.now()

    def win(self, **fields: object) -> dict[str, object]:
        """A win's body that is fine."""
        good = {
            "amount": "0.1",
            "occurred_at": self.now().isoformat(),
            "game": "maze",
            "reference": "r1",
        }
        return good | fields

    def won(self, user: str, amount: str, at: datetime | None = None) -> Any:
        """The answer to a win that must be booked."""
        at = at or self.now()
        body = self.win(amount=amount, occurred_at=at.isoformat())
        answer = self.post(f"/users/{user}/wins", body, key=self.new_key())
        assert answer.status_code == 201, answer.text
        return answer.json

    def key_with(self, *scopes: str, client: str = "another") -> str:
        with self.app.app_context():
            return clients.create_key(client, list(scopes))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.owner.connect() as connection:
            counts = connection.execute(text(str(connection.scalar(text(COUNTS)))))
            return {row[0]: row[1] for row in counts}

    def pages(self, path: str, name: str, size: int) -> list[Any]:
        """All rows of a list, page by page."""
        rows: list[Any] = []
        cursor = ""
        joint = "&" if "?" in path else "?"
        for _ in range(200):
            page = self.read(f"{path}{joint}limit={size}{cursor}")
            assert len(page[name]) <= size
            rows += page[name]
            if page["next_cursor"] is None:
                return rows
            assert len(page[name]) == size
            cursor = f"&cursor={page['next_cursor']}"
        raise AssertionError(f"{path}: pages without end")


@pytest.fixture(scope="module")
def api(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An app at noon tomorrow, so that no test meets a midnight."""
    app = create_app(settings_for(shared_database, tmp_path_factory.mktemp("api")))
    engine = app.extensions["dreamland"].engine
    owner = create_engine(shared_database)
    books = Books(engine)
    tomorrow = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(
        days=1
    )
    books.set_clock(tomorrow)
    with app.app_context():
        token = clients.create_key("tests", list(clients.SCOPES))
    yield Api(app, owner, token, books)
    owner.dispose()
    engine.dispose()
