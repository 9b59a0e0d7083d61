"""What the source may say: docstrings everywhere, nothing left to do, no float for money, no skipped test."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.source import CLIENT, PROGRAM, ROOT, files, read, tree

SOURCE = files(*PROGRAM)
TESTS = files("tests")
HERE = Path("tests/house")
WITHOUT_A_PROGRAM = (Path("tests/obtained.py"),)
"""Where no browser, or no hledger, can be had, its tests say so and the others go on; .ci/run makes that an error."""

FLOATS = {
    "config.py": "seconds and limits, never amounts",
    "portal/ledger/events.py": "seconds to wait",
    "portal/ledger/poster.py": "seconds to wait",
    "portal/ledger/verify.py": "seconds taken",
    "portal/counts.py": "seconds to wait",
    "portal/api/imports.py": "seconds for a file to come in",
    "portal/api/metrics.py": "seconds that requests took",
    "portal/api/rates.py": "seconds of a window",
    "portal/cli_clients.py": "hours of an overlap",
    "portal/services/clients/callers.py": "seconds that a key is remembered",
    "clients/python/src": "seconds to wait; amounts are Decimals, a float is refused",
    "portal/services/rates.py": "a deadline in seconds",
    "portal/services/webhooks": "deadlines and pauses in seconds",
    "jobs/webhooks.py": "a pause in seconds",
    "portal/services/recording": "random times and moods of made-up players; amounts are whole",
}
DIVISIONS = {
    "portal/api/rates.py": "half a second",
    "portal/ledger/verify.py": "postings a second",
    "portal/services/demo.py": "hours between two times",
    "portal/services/rates.py": "how far a Decimal rate moved, a sanity limit",
    "portal/services/recording": "random times and moods of made-up players; amounts are whole",
}
"""Where a float, or a division with one as its result, is not about money."""


def is_exempt(path: Path, exceptions: dict[str, str]) -> bool:
    return any(str(path) == name or str(path).startswith(name + "/") for name in exceptions)


@pytest.mark.parametrize("path", [*SOURCE, *TESTS], ids=str)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    says = ast.get_docstring(tree(path))
    assert says
    assert len(says.split()) >= 2


@pytest.mark.parametrize("path", files("portal", "jobs", "config.py", CLIENT), ids=str)
def test_no_float_is_near_money(path: Path) -> None:
    """Neither `float`, nor 0.15, nor a division that makes one (paths are joined with / too)."""
    found = []
    for node in ast.walk(tree(path)):
        is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if is_float or (isinstance(node, ast.Name) and node.id == "float"):
            found += [node.lineno] if not is_exempt(path, FLOATS) else []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            is_path = re.search(r"parent|dir|DIRECTORY|ROOT", ast.unparse(node.left), re.IGNORECASE)
            found += [node.lineno] if not is_path and not is_exempt(path, DIVISIONS) else []
    assert not found


@pytest.mark.parametrize(
    "path", files("portal", "migrations", suffix=".sql") + files("migrations"), ids=str
)
def test_no_column_and_no_cast_of_the_database_is_a_float_for_money(path: Path) -> None:
    """`float8` turns up once: seconds of an interval."""
    said = re.findall(r"(?i)\b(?:float[48]?|real|double precision|money)\b", read(path))
    assert said in ([], ["float8"] if path.name == "10_clock.sql" else [])


@pytest.mark.parametrize("path", [*SOURCE, *TESTS, *files("portal", suffix=".sql")], ids=str)
def test_nothing_is_left_to_do(path: Path) -> None:
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
    assert not re.search(rf"\b({marks})\b", read(path))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_no_test_is_skipped_or_expected_to_fail(path: Path) -> None:
    if path.is_relative_to(HERE):
        return
    found = re.findall(
        r"\b(?:skip|skipif|xfail|importorskip)\b\s*\(|mark\.(?:skip|xfail)", read(path)
    )
    assert found == (["skip("] if path in WITHOUT_A_PROGRAM else [])


@pytest.mark.parametrize("program", ["BROWSER", "HLEDGER"])
def test_the_build_machine_requires_what_others_may_do_without(program: str) -> None:
    assert f"export REQUIRE_{program}=yes\n" in read(Path(".ci/run"))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_no_test_mocks_a_part_of_the_program(path: Path) -> None:
    if path.is_relative_to(HERE):
        return
    assert not re.search(r"unittest\.mock|MagicMock|mocker\b", read(path))


def test_every_package_is_pinned_to_one_version() -> None:
    lines = [line.partition("#")[0].strip() for line in read(Path("requirements.txt")).splitlines()]
    pins = [line for line in lines if line]
    assert len(pins) > 20
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; python_\w+ < \"[0-9.]+\")?", pin), pin
    names = [pin.partition("==")[0] for pin in pins]
    assert len(names) == len(set(names))


REGISTRIES = (
    "py" + "pi.org",
    "pythonhosted",
    "simple/",
    "--index-url",
    "--extra-index",
    "registry.",
)


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is for the machine to say."""
    places = ("bin", ".ci", "local", "deploy", "Procfile", "requirements.txt", "pyproject.toml")
    places += ("setup.sh", "Dockerfile", ".dockerignore", "docker-compose.yml")
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                assert not [word for word in REGISTRIES if word in file.read_text()], file


WRITES = re.compile(
    r"(?is)\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(\s+TABLE)?|MERGE\s+INTO|COPY)\s+(ONLY\s+)?\"?ledger\"?\."
)


def test_only_the_ledgers_sql_writes_its_tables() -> None:
    """Not the rest of the program; migrations fill what they make, install writes the chart."""
    for path in files("portal", "jobs", "local", "config.py", "wsgi.py"):
        assert not WRITES.search(read(path)), path
    for path in files("portal", suffix=".sql"):
        assert path.parent.name == "sql" or not WRITES.search(read(path)), path


def test_only_install_writes_the_ledgers_tables_through_models() -> None:
    """`insert(models.X)` and its like, with a model of the ledger."""
    for path in files("portal", "jobs"):
        if str(path) == "portal/ledger/install.py":
            continue
        calls = re.findall(r"\b(?:insert|update|delete)\((?:\w+\.)?(\w+)", read(path))
        ledgers = {
            node.name
            for file in files("portal/ledger/models")
            for node in tree(file).body
            if isinstance(node, ast.ClassDef)
        }
        assert not set(calls) & ledgers, path
        assert "session.add" not in read(path), path
