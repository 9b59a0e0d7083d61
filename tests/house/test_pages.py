"""What pages are made of is used: no icon, class, template, mail or action that nothing names any more."""

import re
from pathlib import Path

import pytest

from portal.services.audit import ACTIONS, TARGETS
from tests.house.source import files, read

CODE = files("portal", "jobs", "local")
TEMPLATES = files("portal/templates", suffix=".html")
ICONS = files("portal/templates/icons", suffix=".svg")
MAILS = files("portal/templates/mail", suffix=".txt")
STYLES = Path("portal/static/portal.css")
ELSEWHERE = {"htmx-request", "runs-scripts", "icon", "amount", "cut"}
"""Classes that htmx, portal.js, the icons' files and formats.py set."""
QUOTED = re.compile(r"""["']([\w./-]+)["']""")
CLASS = re.compile(r'class="([^"]*)"')


@pytest.fixture(scope="module")
def quoted() -> set[str]:
    """Every word that stands in quotes, in code and templates."""
    return {word for path in [*CODE, *TEMPLATES] for word in QUOTED.findall(read(path))}


def classes() -> set[str]:
    """Those of templates, also where a condition sets one."""
    found = [each for path in TEMPLATES for each in CLASS.findall(read(path))]
    quoted = [word for path in TEMPLATES for word in re.findall(r'"([a-z ]+)"', read(path))]
    return set(re.findall(r"[a-z][\w-]*", " ".join(found + quoted)))


def test_every_icon_is_shown_somewhere(quoted: set[str]) -> None:
    assert {path.stem for path in ICONS} - quoted == set()


def test_every_template_is_sent_or_included(quoted: set[str]) -> None:
    names = {str(path.relative_to("portal/templates")) for path in TEMPLATES}
    assert names - quoted == set()


def test_every_mail_is_queued_somewhere(quoted: set[str]) -> None:
    kinds = {path.stem for path in MAILS if not path.stem.startswith("_")}
    assert kinds - quoted == set()


def test_every_class_of_the_stylesheet_is_of_a_template() -> None:
    rules = re.sub(r"/\*.*?\*/", "", read(STYLES), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"([^{}]+)\{", rules))
    assert set(re.findall(r"\.([a-z][\w-]*)", selectors)) - classes() - ELSEWHERE == set()


def test_every_action_and_target_of_the_audit_log_is_recorded_somewhere() -> None:
    code = "\n".join(read(path) for path in CODE if path.name != "audit.py")
    code += read(Path("portal/pages/audit.py"))
    said, begun = set(QUOTED.findall(code)), set(re.findall(r'f"(\w+)\.\{', code))
    assert {each for each in set(ACTIONS) - said if each.partition(".")[0] not in begun} == set()
    assert set(TARGETS) - said == set()
