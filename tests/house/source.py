"""The project's own files, for the house rules."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = "clients/python/src"
"""The package for game servers: it stands by itself."""
PROGRAM = (
    *("config.py", "wsgi.py", "portal", "jobs", "local", "deploy", "migrations", "bench"),
    "gallery",
    CLIENT,
)


def files(*places: str, suffix: str = ".py") -> list[Path]:
    """The files below some places, as paths from the root; what does not exist has none."""
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    return [path.relative_to(ROOT) for path in found if path.suffix == suffix]


def read(path: Path) -> str:
    return (ROOT / path).read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(read(path))


def module(path: Path) -> str:
    """The name that a file is imported by."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """What a file imports: modules, and the names taken from them, as dotted paths."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")
