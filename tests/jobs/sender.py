"""A client that sends files of wins, and what it sees of them."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask

from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch

HEADER = "user_id,idempotency_key,amount,occurred_at,game,reference\n"
WINS = """
SELECT count(*) FROM ledger.entries e JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'win'
"""


@dataclass
class Sender:
    """Sends files of wins and asks what became of them."""

    app: Flask
    token: str
    watch: Watch

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        client = self.app.test_client()
        return client.open(f"/api/v1/imports{path}", method=method, headers=headers, **options)

    def send(self, data: str, key: str, status: int = 202) -> str:
        """The id of the import."""
        headers = {"Idempotency-Key": key}
        answer = self.call("POST", "", data=data, content_type="text/csv", headers=headers)
        assert answer.status_code == status, answer.text
        return str(answer.json["import"]["id"])

    def progress(self, number: str) -> Any:
        return self.call("GET", f"/{number}").json["import"]

    def counts(self, number: str) -> tuple[int, int, int]:
        """How many lines were posted, replayed and rejected."""
        made = self.progress(number)
        return made["posted"], made["replayed"], made["rejected"]

    def ends(self, number: str, seconds: float = 60, poll_s: float = 0) -> None:
        def is_done() -> bool:
            time.sleep(poll_s)
            return bool(self.progress(number)["state"] == "done")

        eventually(f"import {number} is done", is_done, seconds)

    def refused(self, number: str) -> list[int]:
        """The numbers of the lines that the report lists."""
        report = self.call("GET", f"/{number}/report").text
        return [int(row["line"]) for row in csv.DictReader(io.StringIO(report, newline=""))]

    def wins(self) -> int:
        """How many are in the books."""
        return int(self.watch.value(WINS))


def lines(
    owners: list[int], count: int, at: datetime, name: str = "k", bad: int = 0
) -> Iterator[str]:
    """Lines of a file; every `bad`th has an amount that is none."""
    for n in range(1, count + 1):
        amount = "1e3" if bad and n % bad == 0 else "0.001"
        yield f"{owners[n % len(owners)]},{name}{n},{amount},{at.isoformat()},maze,r{n}\n"
