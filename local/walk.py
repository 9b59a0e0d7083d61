"""deploy/walk: the containers' steps without containers, on somebody else's PostgreSQL and Redis.

In a new directory: a copy of the source with `setup.sh` run in it, as on a machine of one's own;
beside it the files and packages of the image, and nothing else. From there web, worker,
webhooks and scheduler are started by the image's own entry point. DATABASE_URL and REDIS_URL say where;
the settings of bin/run and config.py hold.

    deploy/walk                       until Ctrl-C
    deploy/walk -- COMMAND …          until the command ends, with its exit status

In the command's words {base}, {key} and {start} stand for the address, an API key and the entry
point, which runs the app's commands. All that the walk wrote is removed at the end.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from local import demo, install
from local.environment import ROOT, VARIABLES, check_reachable
from local.errors import LocalError, complain, run_command
from local.modules import check_modules
from local.processes import adopt_orphans, end_descendants
from local.ready import wait_until_ready
from local.run import Settings, check_port, settings
from local.supervise import Supervisor

NAME = "deploy/walk"
PROCESSES = ("web", "worker", "webhooks", "scheduler")
NOT_SOURCE = (".git", ".venv*", "var", "__pycache__", ".*_cache")
END_OF_IMAGE = "\n# ==="
ADVICE = "Start that server, or correct the URL."


def main() -> int:
    """Copy, install, prepare, start, and stop at the end of the command or at a signal."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)
    check_modules()
    command = _command(sys.argv[1:])
    _check_servers()
    chosen = settings()
    check_port(chosen)
    adopt_orphans()
    with TemporaryDirectory(prefix="dreamland-walk-") as place:
        walk = Walk(Path(place), chosen)
        try:
            walk.prepare()
            print(f"{NAME}: prepared after {time.monotonic() - began:.0f} s.", flush=True)
            return walk.run(command)
        finally:
            end_descendants(besides=set())


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _command(arguments: list[str]) -> list[str]:
    if arguments and (arguments[0] != "--" or len(arguments) == 1):
        raise LocalError("a command comes after --, as in: deploy/walk -- curl {base}/readyz")
    return arguments[1:]


def _check_servers() -> None:
    """Redis must answer; setup.sh says what is wrong with PostgreSQL, which may lack the database."""
    for name in VARIABLES.values():
        if not os.environ.get(name):
            raise LocalError(f"{name} is not set: this uses servers that run already.")
    check_reachable("redis", os.environ["REDIS_URL"], ADVICE)


def image_pins(requirements: str) -> str:
    """The packages of the image."""
    return requirements.partition(END_OF_IMAGE)[0] + "\n"


def image_files(dockerignore: str) -> list[str]:
    """What `COPY . .` brings into the image."""
    return [line[1:] for line in dockerignore.splitlines() if line.startswith("!")]


class Walk:
    """One walk in a directory of its own."""

    def __init__(self, place: Path, chosen: Settings) -> None:
        self.checkout, self.image, self.var = place / "checkout", place / "image", place / "var"
        self._chosen = chosen
        self._status: int | None = None
        self._problem: str | None = None

    def prepare(self) -> None:
        """Everything before the start of the three."""
        self._leave_this_checkout()
        shutil.copytree(ROOT, self.checkout, ignore=shutil.ignore_patterns(*NOT_SOURCE))
        print(self._run(self.checkout / "setup.sh"), flush=True)
        self._make_image()

    def _leave_this_checkout(self) -> None:
        """Neither its packages nor its source reach the new ones; what they leave is removed too."""
        for name in [name for name in os.environ if name.startswith("PYTHON") and name != "PYTHON"]:
            del os.environ[name]
        os.environ["PATH"] = os.environ["PATH"].removeprefix(f"{ROOT}/.venv/bin:")
        os.environ["VAR_DIR"] = str(self.var)
        os.environ["TMPDIR"] = str(self.var / "tmp")
        (self.var / "tmp").mkdir(parents=True)

    def _make_image(self) -> None:
        """What the Dockerfile makes: the files that .dockerignore names, the pins above its line."""
        for name in image_files((self.checkout / ".dockerignore").read_text()):
            source, target = self.checkout / name, self.image / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        pins = self.image / "image.txt"
        pins.write_text(image_pins((self.image / "requirements.txt").read_text()))
        install.make(self.image / ".venv")
        install.pip(self.image / ".venv", "--no-deps", "-r", str(pins))

    def _run(self, *command: Path | str) -> str:
        """Run a step to its end; the answer is what it printed."""
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise LocalError(f"{Path(command[0]).name} ended with status {done.returncode}.")
        return done.stdout.strip()

    def run(self, command: list[str]) -> int:
        """Have the three up until the command ends, one of them does, or a signal comes."""
        procfile = self.image.parent / "Procfile"
        start = shlex.quote(str(self.image / "deploy" / "start"))
        procfile.write_text("".join(f"{name}: exec {start} {name}\n" for name in PROCESSES))
        supervisor = Supervisor(procfile, self._chosen.workers, shared=())
        supervisor.run(lambda: self._watch(command))
        if self._problem:
            return complain(NAME, self._problem)
        if supervisor.first_ended and self._status is None:
            name, status = supervisor.first_ended
            return complain(NAME, f"{name} ended by itself with status {status}: see above.")
        return self._status or 0

    def _watch(self, command: list[str]) -> None:
        """Runs on a thread; at the command's end it stops the three as a signal would."""
        try:
            wait_until_ready(self._chosen.base)
            key = self._key()
            self._announce()
            if not command:
                return
            words = {"{base}": self._chosen.base, "{key}": key}
            words["{start}"] = str(self.image / "deploy" / "start")
            filled = [_filled(word, words) for word in command]
            self._status = subprocess.run(filled, check=False).returncode
        except (LocalError, OSError) as error:
            self._problem = str(error)
        os.kill(os.getpid(), signal.SIGTERM)

    def _key(self) -> str:
        """The demo's API key; one made now in production, which has no demo."""
        file = self.var / "demo.json"
        if not file.exists():
            key = self._run(self.image / "deploy" / "start", "create-api-key", NAME)
            file.write_text(json.dumps({"api_key": key}))
            file.chmod(0o600)
        return str(demo.set_base(self.var, self._chosen.base)["api_key"])

    def _announce(self) -> None:
        told = [
            f"Dreamland is ready at {self._chosen.base}",
            "",
            f"  API key in {self.var}/demo.json",
        ]
        print("\n" + "\n".join([*told, "", "Ctrl-C stops everything."]) + "\n", flush=True)


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


if __name__ == "__main__":
    run_command(NAME, main)
