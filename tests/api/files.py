"""Files of wins for tests, and the report of what was refused of one."""

import csv
import io
import json
from typing import Any

COLUMNS = ("user_id", "idempotency_key", "amount", "occurred_at", "game", "reference")
CSV, JSON_LINES = "text/csv", "application/x-ndjson"


def as_csv(items: list[dict[str, Any]], columns: tuple[str, ...] = COLUMNS) -> bytes:
    made = io.StringIO()
    writer = csv.DictWriter(made, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(items)
    return made.getvalue().encode()


def as_json_lines(items: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def rows(report: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report, newline="")))
