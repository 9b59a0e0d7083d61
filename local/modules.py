"""Whether .venv still holds what was installed in it: somebody may have deleted a package."""

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from local.errors import LocalError, missing_module


def check_modules() -> None:
    """One clear line for a package that is not whole; reads the lists of installed files."""
    site = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = site / "site-packages"
    installed = {normal(each.name): each for each in distributions(path=[str(site)])}
    for name in pinned(Path(sys.prefix).parent / "requirements.txt"):
        if name not in installed:
            raise LocalError(missing_module(name))
        for top in top_level(installed[name]):
            if not (site / top).exists():
                raise LocalError(missing_module(Path(top).stem))


def pinned(requirements: Path) -> list[str]:
    """The names in requirements.txt, without those that only some Pythons need."""
    lines = requirements.read_text().splitlines()
    pins = [line for line in lines if "==" in line and ";" not in line and line[0] != "#"]
    return [normal(line.partition("==")[0]) for line in pins]


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def top_level(distribution: Distribution) -> set[str]:
    """The directories and files that a distribution put straight into site-packages."""
    lines = (distribution.read_text("RECORD") or "").splitlines()
    first = {line.partition(",")[0].partition("/")[0] for line in lines}
    return {top for top in first if top not in ("", "..", "__pycache__")}
