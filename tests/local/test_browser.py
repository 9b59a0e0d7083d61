"""The browser for tests: found where it is, installed where it is not, one line where neither goes."""

import shutil
from pathlib import Path

import pytest

from local import browser, debian
from local.errors import LocalError

STARTS = "#!/bin/sh\nexit 0\n"
BROKEN = "#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2\nexit 127\n"


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a shell and no browser; what is put into the directory is on its PATH."""
    for name in ("sh", "cat", "chmod"):
        (tmp_path / "path").mkdir(exist_ok=True)
        (tmp_path / "path" / name).symlink_to(str(shutil.which(name)))
    for name in ("CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    return tmp_path / "path"


def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def test_the_one_that_chromium_names_is_taken_before_all_others(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(machine / "chromium", STARTS)
    mine = program(tmp_path / "mine", STARTS)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert browser.find() == mine


def test_a_name_that_does_not_start_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(LocalError, match="which does not start: correct or unset it"):
        browser.executable(print)


def test_one_that_does_not_start_is_passed_over(machine: Path, tmp_path: Path) -> None:
    program(machine / "chromium", BROKEN)
    assert browser.find() is None
    kept = program(tmp_path / "cache/ms-playwright/chromium-1/chrome-linux/chrome", STARTS)
    assert browser.find() == kept
    there = program(machine / "google-chrome", STARTS)
    assert browser.find() == there


@pytest.mark.parametrize("there", ["chromium-headless-shell", "chromium"])
def test_root_on_debian_installs_what_debian_has_with_letters_and_once(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(debian, "_is_debian", lambda: True)
    log, made = tmp_path / "calls", machine / there
    program(
        machine / "apt-get",
        f"#!/bin/sh\necho $@ >> {log}\ncase $@ in *\\ {there}) echo '#!/bin/sh' > {made}"
        f" && chmod +x {made};; esac\n",
    )
    said: list[str] = []
    assert browser.executable(said.append) == made
    assert browser.executable(said.append) == made
    assert said == ["Installing Chromium (apt-get)…"]
    update, *_, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith(f"install --no-install-recommends fonts-noto-core {there}")


def test_where_none_can_be_had_one_line_says_what_to_do(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody(monkeypatch)
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:1")
    program(machine / "node", STARTS)
    with pytest.raises(LocalError) as refused:
        browser.executable(print)
    said = str(refused.value)
    assert said.count("\n") == 0
    assert said.startswith("no Chromium here, and Playwright brought none (")
    assert "install Chromium (Debian: apt-get install chromium), or set CHROMIUM" in said


@pytest.mark.parametrize("word", ["yes", "no", ""])
def test_it_is_required_where_yes_is_said(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("REQUIRE_BROWSER", word)
    assert browser.is_required() is (word == "yes")
