"""deploy/start: one word says what a container runs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy import manifests

PYTHON = '#!/bin/sh\necho "$@"\n[ "$*" != "-m flask --app wsgi $REFUSED" ]\n'


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A place like the image's, whose Python tells what it was asked."""
    place = tmp_path / "an image"
    (place / "deploy").mkdir(parents=True)
    shutil.copy(manifests.ROOT / "deploy" / "start", place / "deploy")
    (place / "Procfile").write_text(
        'web: exec echo "serving at ${PORT:-5000} in $(pwd)"\n'
        "scheduler: TZ=UTC exec sh -c 'echo $TZ'\n"
    )
    python = place / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return place


def start(image: Path, *words: str, **environment: str) -> tuple[int, list[str]]:
    """What it said, started from another directory."""
    done = subprocess.run(
        [image / "deploy" / "start", *words],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "REFUSED": "nothing"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_a_process_is_started_as_the_procfile_says(image: Path) -> None:
    assert start(image, "web") == (0, [f"serving at 5000 in {image}"])
    assert start(image, "web", PORT="80") == (0, [f"serving at 80 in {image}"])
    assert start(image, "scheduler") == (0, ["UTC"])


def test_prepare_migrates_and_seeds_but_in_production_it_only_migrates(image: Path) -> None:
    migrate, seed = "-m flask --app wsgi db upgrade", "-m flask --app wsgi seed"
    assert start(image, "prepare") == (0, [migrate, seed])
    assert start(image, "prepare", DREAMLAND_ENV="testing") == (0, [migrate, seed])
    assert start(image, "prepare", DREAMLAND_ENV="production") == (0, [migrate])


def test_a_migration_that_fails_is_the_end_of_it(image: Path) -> None:
    assert start(image, "prepare", REFUSED="db upgrade") == (
        1,
        ["-m flask --app wsgi db upgrade"],
    )
    status, said = start(image, "prepare", REFUSED="seed")
    assert (status, len(said)) == (1, 2)


@pytest.mark.parametrize("words", [("verify",), ("create-api-key", "a name"), ("we",), ("web:",)])
def test_any_other_word_is_a_command_of_the_app(image: Path, words: tuple[str, ...]) -> None:
    assert start(image, *words) == (0, ["-m flask --app wsgi " + " ".join(words)])


def test_without_a_word_it_tells_what_there_is(image: Path) -> None:
    assert start(image) == (0, ["-m flask --app wsgi --help"])
