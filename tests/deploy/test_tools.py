"""The manifests pass the tools that know their formats, and these tools would say if they did not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import manifests

HADOLINT = [str(Path(sys.prefix) / "bin" / "hadolint"), "--no-color"]
COMPOSE = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
KUBERNETES = [sys.executable, "-m", "kubernetes_validate", "--strict", "--kubernetes-version"]
VERSIONS = ("1.32", "1.37")
"""The oldest that docs/hosting.md promises, and the newest the tool knows."""


def run(command: list[str], *files: Path) -> tuple[int, str]:
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def changed(source: Path, target: Path, old: str, new: str) -> Path:
    text = source.read_text()
    assert old in text
    target.write_text(text.replace(old, new))
    return target


def test_the_dockerfile_is_as_it_should_be(tmp_path: Path) -> None:
    file = manifests.ROOT / "Dockerfile"
    assert run(HADOLINT, file) == (0, "")
    unpinned = changed(file, tmp_path / "Dockerfile", "python:3.13.14-slim-trixie", "python")
    status, said = run(HADOLINT, unpinned)
    assert status == 1
    assert "DL3006" in said


def test_compose_keeps_to_its_specification(tmp_path: Path) -> None:
    file = manifests.ROOT / "docker-compose.yml"
    status, said = run(COMPOSE, file)
    assert status == 0, said
    misspelt = changed(file, tmp_path / file.name, "depends_on:", "depend_on:")
    assert run(COMPOSE, misspelt)[0] == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object(tmp_path: Path, version: str) -> None:
    status, said = run([*KUBERNETES, version], *manifests.kubernetes_files())
    assert status == 0, said
    web = manifests.KUBERNETES / "web.yaml"
    misspelt = changed(web, tmp_path / "web.yaml", "readinessProbe:", "readynessProbe:")
    assert run([*KUBERNETES, version], misspelt)[0] == 1
