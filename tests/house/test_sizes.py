"""Functions a reader takes in at once, files of one noun. What is longer says why, here."""

import ast
from pathlib import Path

import pytest

from tests.house.source import PROGRAM, files, read, tree

FUNCTION_LINES = 60
USUAL_LINES = 30
FILE_LINES = 300
SQL_LINES = 400
"""`40_post.sql` is one function: its steps share their variables."""

LONG_FILES = {
    "migrations/versions/0001_the_books.py": "every table of the first version, column by column",
}
LONG_FUNCTIONS = {
    "migrations/versions/0001_the_books.py:upgrade": "every table of the first version, in order",
}

SOURCE = files(*PROGRAM)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(path: Path) -> dict[str, int]:
    """Lines of each function, without decorators."""
    nodes = (node for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS))
    return {f"{path}:{node.name}": (node.end_lineno or 0) - node.lineno + 1 for node in nodes}


@pytest.mark.parametrize("path", SOURCE, ids=str)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = {name: lines for name, lines in functions(path).items() if lines > FUNCTION_LINES}
    assert set(long) <= set(LONG_FUNCTIONS), long


def test_most_functions_are_short() -> None:
    """Nineteen of twenty functions have at most 30 lines."""
    lines = sorted(
        n for path in files("config.py", "portal", "jobs") for n in functions(path).values()
    )
    assert lines[len(lines) * 95 // 100] <= USUAL_LINES
    assert lines[len(lines) // 2] <= 12


@pytest.mark.parametrize("path", SOURCE, ids=str)
def test_a_file_is_short(path: Path) -> None:
    assert len(read(path).splitlines()) <= FILE_LINES or str(path) in LONG_FILES


@pytest.mark.parametrize("path", files("portal", suffix=".sql"), ids=str)
def test_a_file_of_sql_is_not_much_longer(path: Path) -> None:
    assert len(read(path).splitlines()) <= SQL_LINES


def test_exceptions_are_still_needed() -> None:
    for name in LONG_FILES:
        assert len(read(Path(name)).splitlines()) > FILE_LINES
    for name in LONG_FUNCTIONS:
        assert functions(Path(name.partition(":")[0]))[name] > FUNCTION_LINES
