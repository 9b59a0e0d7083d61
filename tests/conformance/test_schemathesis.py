"""Schemathesis against a running server's own document: nothing is answered that it does not say."""

import os
import re
import subprocess
import sys
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from tests.concurrency.programs import ROOT
from tests.concurrency.web import Web

CONFIG = Path(__file__).with_name("schemathesis.toml")
CASES = 3000
SECONDS = 600
KINDS = """
SELECT kind.code, count(*) AS number FROM ledger.entries entry
JOIN ledger.entry_kinds kind ON kind.id = entry.kind_id GROUP BY kind.code
"""
MOVED = ("win", "top_up", "bonus", "spend", "hold", "capture", "release", "reversal")
"""The kinds of entry that calls make: each must have been made, or the run saw refusals only."""


def booked(app: Flask) -> dict[str, int]:
    """How many entries there are of each kind."""
    with app.extensions["dreamland"].engine.connect() as connection:
        return {row.code: row.number for row in connection.execute(text(KINDS))}


def test_no_call_is_answered_other_than_the_document_says(
    web: Web, live_app: Flask, tmp_path: Path
) -> None:
    before = booked(live_app)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
        *(f"http://127.0.0.1:{web.port}/openapi.json", "--checks", "all", "--no-color"),
    ]
    environment = {
        **os.environ,
        "API_KEY": web.key,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
    }
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(done.stdout[-20_000:], done.stderr[-5_000:])
    assert done.returncode == 0, "schemathesis found something: see its report"
    generated = re.search(r"([0-9,]+) generated", done.stdout)
    assert generated
    assert int(generated[1].replace(",", "")) >= CASES
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅ +{phase}", done.stdout), phase
    after = booked(live_app)
    print("booked", after)
    assert [kind for kind in MOVED if after.get(kind, 0) <= before.get(kind, 0)] == []
