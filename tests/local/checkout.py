"""A small checkout to run bin/ in: this one's bin/ and local/ with an app of a few lines.

So the tests of local/ say nothing about ledgers and fail only for reasons of their own.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]

APP = """
import json, os, sys
from pathlib import Path
import click, psycopg2, redis
from flask import Flask
from flask.cli import AppGroup

app = Flask(__name__)

def query(sql):
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows

@app.get("/readyz")
def readyz():
    query("SELECT 1")
    redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
    return "ready"

db = AppGroup("db")
app.cli.add_command(db)

@db.command("upgrade")
def upgrade():
    query("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")

@app.cli.command("seed")
def seed():
    query("INSERT INTO starts DEFAULT VALUES")
    path = Path(os.environ["VAR_DIR"]) / "demo.json"
    if not path.exists():
        admin = {"email": "admin@example.com", "password": "demo"}
        path.write_text(json.dumps({"api_key": "dl_key", "users": [], "admin": admin}))

@app.cli.command("sql")
@click.argument("text")
def sql(text):
    print(query(text))

@app.cli.command("fail")
def fail():
    sys.exit(7)
"""
JOB = "import time\nwhile True:\n    time.sleep(1)\n"


class Checkout:
    """A checkout in a directory with a space in its name, and the commands run in it."""

    def __init__(self, directory: Path, port: int) -> None:
        self.root = directory / "a checkout"
        self.var = self.root / "var"
        self.started: list[subprocess.Popen[str]] = []
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "VAR_DIR", "PYTHON")
        } | {"PORT": str(port), "WORKERS": "1", "WEB_WORKERS": "1"}
        self._fill()

    def _fill(self) -> None:
        for name in ("bin", "local"):
            shutil.copytree(ROOT / name, self.root / name)
        for name in ("Procfile", "requirements.txt"):
            shutil.copy(ROOT / name, self.root)
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        (self.root / "wsgi.py").write_text(APP)
        (self.root / "jobs").mkdir()
        for name in ("worker", "webhook_worker", "scheduler"):
            (self.root / "jobs" / f"{name}.py").write_text(JOB)

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a script of bin/ from another directory than the checkout's."""
        process = subprocess.Popen(
            [self.root / command[0], *command[1:]],
            cwd="/",
            env=self.environment | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    def call(self, *command: str, **environment: str) -> tuple[int, str]:
        """Run a script to its end: its status and all it printed."""
        process = self.start(*command, **environment)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def processes(self) -> list[psutil.Process]:
        """Every process started from here that still runs."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            words = [
                *(process.info["cmdline"] or []),
                (process.info["environ"] or {}).get("PYTHONPATH", ""),
            ]
            is_dead = process.info["status"] == psutil.STATUS_ZOMBIE
            if not is_dead and any(str(self.root) in word for word in words):
                found.append(process)
        return found

    def clean_up(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=60)
            elif process.stdout:
                process.stdout.close()
