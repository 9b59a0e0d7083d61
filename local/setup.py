"""setup.sh: Dreamland on somebody's own PostgreSQL, ready to be started. Safe to repeat.

Checks all that can be wrong, makes the database if it is missing, then runs what a container runs
first: `deploy/start prepare`. What it says is in `log/setup.log` under VAR_DIR.
"""

import os
import re
import subprocess
import time

import config
from local import own_database
from local.environment import ROOT, check_reachable, var_directory
from local.errors import LocalError, plain_io_errors, run_command
from local.modules import check_modules
from local.reachable import UnreachableError, one_line, without_secrets

ADVICE = "Start that server, or correct the URL."


def main() -> int:
    """Check, prepare, and say what to start."""
    check_modules()
    settings = _settings()
    url = os.environ["DATABASE_URL"]
    if os.environ.get("REDIS_URL"):
        check_reachable("redis", settings.redis_url, ADVICE)
    try:
        was_made = own_database.make_ready(url)
    except UnreachableError as error:
        place = f"DATABASE_URL ({without_secrets(url)})"
        raise LocalError(f"{place} cannot be reached: {error}. {ADVICE}") from error
    print(
        f"Database {own_database.name_of(url)}: {'made now' if was_made else 'there'}.", flush=True
    )
    with plain_io_errors(var_directory()):
        _prepare(url, settings)
    print("\n".join(_next(settings)), flush=True)
    return 0


def _settings() -> config.Settings:
    """The app's own check of every setting, before anything is made."""
    os.environ["VAR_DIR"] = str(var_directory())
    try:
        return config.load()
    except config.ConfigError as error:
        raise LocalError(f"{error}.") from error


def _prepare(url: str, settings: config.Settings) -> None:
    """Migrate, then seed unless in production, as a container does."""
    print("Migrating…" if settings.is_production else "Migrating and seeding…", end=" ", flush=True)
    began = time.monotonic()
    log = var_directory() / "log" / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        command = [str(ROOT / "deploy" / "start"), "prepare"]
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode:
        print("failed.", flush=True)
        reason = one_line(Exception(_reason(log.read_text(errors="replace"))), url)
        raise LocalError(f"{reason}. (All that was said: {log})")
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def _reason(said: str) -> str:
    """The line that tells most: the last that names an error, or else the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    errors = [
        line for line in lines if re.match(r"Error: |[\w.]+(Error|Exception|Mismatch): ", line)
    ]
    return (errors or lines)[-1]


def _next(settings: config.Settings) -> list[str]:
    """What a person does now."""
    yours = "" if os.environ.get("REDIS_URL") else f" (not set: {settings.redis_url})"
    base = f"http://{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '5000')}"
    said = [
        "",
        "Dreamland is set up. Start these, each in a terminal of its own, with the same settings:",
        "",
        f"  deploy/start web         # {base}, at HOST and PORT",
        f"  deploy/start worker      # jobs; needs REDIS_URL{yours}",
        "  deploy/start webhooks    # one, beside the same Redis",
        "  deploy/start scheduler   # one, beside the same Redis",
        "",
    ]
    if settings.is_production:
        return [*said, "Production has no demo. An API key: deploy/start create-api-key NAME"]
    return [*said, f"The demo's sign-ins and its API key are in {settings.var_dir}/demo.json."]


if __name__ == "__main__":
    run_command("setup.sh", main)
