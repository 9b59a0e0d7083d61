"""hledger for tests: found where it is, installed where it is not, one line where it does not go."""

import shutil
from pathlib import Path

import pytest

from local import debian, hledger
from local.errors import LocalError

STARTS = "#!/bin/sh\nexit 0\n"


def program(path: Path, text: str = STARTS) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a shell and no hledger; what is put into the directory is on its PATH."""
    path = tmp_path / "path"
    path.mkdir()
    for name in ("sh", "chmod"):
        (path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.delenv("HLEDGER", raising=False)
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(debian, "_is_debian", lambda: True)
    return path


def test_the_one_that_hledger_names_is_taken_before_all_others(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = program(machine / "hledger")
    assert hledger.executable(print) == there
    mine = program(tmp_path / "mine")
    monkeypatch.setenv("HLEDGER", str(mine))
    assert hledger.executable(print) == mine


def test_a_name_that_does_not_start_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HLEDGER", str(tmp_path / "none"))
    with pytest.raises(LocalError, match="which does not start: correct or unset it"):
        hledger.executable(print)


def test_root_on_debian_installs_it_once(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    log, made = tmp_path / "calls", machine / "hledger"
    install = f"case $@ in *\\ hledger) echo '#!/bin/sh' > {made} && chmod +x {made};; esac"
    program(machine / "apt-get", f"#!/bin/sh\necho $@ >> {log}\n{install}\n")
    said: list[str] = []
    assert hledger.executable(said.append) == made
    assert hledger.executable(said.append) == made
    assert said == ["Installing hledger (apt-get)…"]
    update, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends hledger")


@pytest.mark.parametrize(
    ("user", "how"),
    [(1000, "no hledger here: "), (0, "and apt-get brought none (no such package;")],
)
def test_where_it_can_not_be_had_one_line_says_what_to_do(
    machine: Path, monkeypatch: pytest.MonkeyPatch, user: int, how: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    program(machine / "apt-get", "#!/bin/sh\necho no such package\nexit 1\n")
    with pytest.raises(LocalError) as refused:
        hledger.executable(print)
    said = str(refused.value)
    assert said.count("\n") == 0
    assert how in said
    assert "install hledger (Debian: apt-get install hledger), or set HLEDGER" in said


@pytest.mark.parametrize("word", ["yes", "no", ""])
def test_it_is_required_where_yes_is_said(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("REQUIRE_HLEDGER", word)
    assert hledger.is_required() is (word == "yes")
