"""What the test of the walk has done to a running Dreamland: `calls.py BASE KEY START STATUS`.

A user, a win sent twice, the hour's conversion by the worker, the books verified, all three found
healthy. Ends with STATUS when everything was as it should be.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

PATIENCE_S = 30


def call(method: str, path: str, body: Any = None, key: str | None = None) -> dict[str, Any]:
    """One request, which must succeed."""
    base, token = sys.argv[1:3]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def start(*words: str) -> str:
    """A command of the app, from the image."""
    done = subprocess.run([sys.argv[3], *words], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def win_once_of_two_requests() -> str:
    user = call("POST", "/users", {"external_id": "walker", "display_name": "Walker"})["user"]
    body = {
        "amount": "1.25",
        "occurred_at": start("clock"),
        "game": "maze",
        "reference": "round-1",
    }
    first, again = (call("POST", f"/users/{user['id']}/wins", body, "round-1") for _ in range(2))
    assert first["win"] == again["win"]
    assert again["today"]["won"] == "1.25"
    return str(user["id"])


def convert(user: str) -> None:
    """Move the clock past the hour's end and have the worker convert the hour."""
    hour = datetime.fromisoformat(start("clock")).replace(minute=0, second=0, microsecond=0)
    start("clock", "--set", (hour + timedelta(hours=1, seconds=1)).isoformat())
    call("POST", "/conversions", {"hour": hour.isoformat()})
    until = time.monotonic() + PATIENCE_S
    while (balance := call("GET", f"/users/{user}/stats")["usd_balance"]) == "0":
        assert time.monotonic() < until, "the worker has not converted"
        time.sleep(0.2)
    assert balance == "0.1875", balance


def check_health() -> None:
    image = Path(sys.argv[3]).parents[1]
    python = str(image / ".venv" / "bin" / "python")
    port = sys.argv[1].rpartition(":")[2]
    for name in ("web", "worker", "webhooks", "scheduler"):
        command = [python, "-m", "deploy.healthy", name]
        subprocess.run(command, cwd=image, env=os.environ | {"PORT": port}, check=True)
    subprocess.run([python, "-m", "deploy.migrated"], cwd=image, check=True)


if __name__ == "__main__":
    convert(win_once_of_two_requests())
    assert start("verify").startswith("0 differ")
    check_health()
    sys.exit(int(sys.argv[4]))
