"""A Chromium for the tests of pages and for bin/gallery: found, or installed, or said to be missing.

CHROMIUM names one; else the first of PATH that starts is taken, else the one that Playwright keeps.
Where there is none, it is installed: as root on Debian with apt-get, elsewhere by Playwright.
REQUIRE_BROWSER=yes tells the tests that to have none is an error: so CI does.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from local import debian, programs
from local.environment import ROOT, var_directory
from local.errors import LocalError
from local.locks import FileLock

NAMES = (
    "chromium-headless-shell",  # without the windows of a desktop: a quarter of the work
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
)
PACKAGES = ("chromium-headless-shell", "chromium")
"""Of Debian, the first that it has."""
LETTERS = "fonts-noto-core"
"""Of every alphabet: a page is no use without them."""
ADVICE = "install Chromium (Debian: apt-get install chromium), or set CHROMIUM to its path"
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # What a page asks of another host fails at once, wherever the tests run.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def flags() -> list[str]:
    """How to start it; as root it has to do without its sandbox."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def is_required() -> bool:
    """Whether doing without a browser is an error."""
    return os.environ.get("REQUIRE_BROWSER") == "yes"


def executable(say: Callable[[str], None]) -> Path:
    """Where Chromium is, once it is there. Raises LocalError with what to do where none can be had."""
    if found := find():
        return found
    with FileLock(ROOT / ".venv.lock"):  # the one that bin/setup installs under
        if found := find():
            return found
        how, commands = _way()
        say(f"Installing Chromium ({how})…")
        log = var_directory() / "log" / "browser.log"
        log.unlink(missing_ok=True)
        for command in commands:
            problem = debian.run(command, log)
            if found := find():
                return found
    raise LocalError(f"no Chromium here, and {how} brought none ({problem}; see {log}): {ADVICE}.")


def find() -> Path | None:
    """A Chromium that starts. Raises LocalError if CHROMIUM names something else."""
    if given := os.environ.get("CHROMIUM"):
        if not programs.starts(Path(given)):
            raise LocalError(f"CHROMIUM is {given!r}, which does not start: correct or unset it.")
        return Path(given)
    on_path = (shutil.which(name) for name in NAMES)
    return next(
        (Path(each) for each in (*on_path, _playwrights()) if each and programs.starts(each)), None
    )


def _playwrights() -> str | None:
    """Where Playwright's own lies, if it does."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or home / "ms-playwright")
    found = sorted(kept.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def _way() -> tuple[str, list[list[str]]]:
    """How one is installed here, until one is: Ubuntu's package is a shell round a snap, which no container starts."""
    is_root = os.geteuid() == 0
    if debian.is_roots():
        return "apt-get", [debian.UPDATE, *(debian.install(LETTERS, name) for name in PACKAGES)]
    playwright = [str(ROOT / ".venv" / "bin" / "python"), "-m", "playwright", "install"]
    return "Playwright", [[*playwright, *(["--with-deps"] if is_root else []), "chromium"]]
