"""The package as a game server installs it: typed, of one dependency, knowing nothing of this project."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import urllib3

import dreamland_client
from dreamland_client import transport
from tests.house.source import CLIENT, ROOT, files, imports

PACKAGE = ROOT / "clients/python"
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel({!r}))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where its wheel was unpacked, built by its own metadata."""
    directory = tmp_path_factory.mktemp("package")
    shutil.copytree(PACKAGE, directory / "source")
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(str(directory))],
        cwd=directory / "source",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [wheel] = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / "installed")
    return directory / "installed"


def test_its_wheel_has_every_module_its_types_and_one_dependency(installed: Path) -> None:
    assert (installed / "dreamland_client/py.typed").exists()
    ours = {path.relative_to(CLIENT) for path in files(CLIENT)}
    assert {path.relative_to(installed) for path in installed.rglob("*.py")} == ours
    [metadata] = installed.glob("*.dist-info/METADATA")
    said = metadata.read_text()
    assert re.findall(r"^Requires-Dist: (\S+)", said, re.MULTILINE) == ["urllib3<3,>=2.2"]
    assert "Requires-Python: >=3.10" in said
    assert f"Version: {transport.VERSION}\n" in said


def test_it_runs_where_nothing_of_this_project_is(installed: Path) -> None:
    """-I: neither this directory nor PYTHONPATH; only the package and urllib3."""
    where = [str(installed), str(Path(urllib3.__file__).parents[1])]
    code = f"import sys; sys.path[:0] = {where}; import dreamland_client as d; print(d.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))


@pytest.mark.parametrize("path", files(CLIENT), ids=str)
def test_it_imports_the_standard_library_urllib3_and_itself(path: Path) -> None:
    known = {*sys.stdlib_module_names, "urllib3", "dreamland_client"}
    assert {name.partition(".")[0] for name in imports(path)} <= known


def test_what_it_offers_is_there() -> None:
    assert sorted(dreamland_client.__all__) == list(dreamland_client.__all__)
    for name in dreamland_client.__all__:
        assert getattr(dreamland_client, name).__doc__ or name == "AmountLike"
