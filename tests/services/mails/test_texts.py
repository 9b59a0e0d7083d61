"""What mails say: each kind has a subject and a text, says whom it is for, and leads to this portal only."""

import re

import pytest
from jinja2 import UndefinedError

from portal.services.mails import texts

pytestmark = pytest.mark.usefixtures("context")

HOME = "http://127.0.0.1:5000"
LINK = f"{HOME}/links/some-token"
FACTS = {"name": "Ida", "role": "viewer", "new": "n…@example.com", "left": 3}
WITH_LINK = {"sign_up", "sign_up_known", "reset", "reset_unknown", "invitation", "email_change"}


@pytest.mark.parametrize("kind", sorted(texts.kinds()))
def test_every_mail_says_why_it_came_and_what_to_do(kind: str) -> None:
    made = texts.text_of(kind, "ida@example.com", LINK, FACTS)
    assert 10 < len(made.subject) <= 60
    assert "\n" not in made.subject
    assert "Dreamland" in made.subject
    assert made.body.startswith("Hello")
    assert "This mail was sent to ida@example.com" in made.body
    assert "{" not in made.body
    assert (LINK in made.body) == (kind in WITH_LINK)
    assert set(re.findall(r"\w+://[^/\s]+", made.body)) == {HOME}
    assert not [line for line in made.body.splitlines() if len(line) > 105]
    assert re.search(r"\b[Ii]f (it wasn't you|you don't know|you think)", made.body)


def test_an_invitation_reads_for_whom_it_is() -> None:
    user = texts.text_of("invitation", "ida@example.com", LINK, {"name": "Ida", "role": "user"})
    admin = texts.text_of("invitation", "ida@example.com", LINK, {"name": "Ida", "role": "admin"})
    assert "what you win" in user.body
    assert 'in the role "admin"' in admin.body


def test_one_recovery_code_is_one() -> None:
    told = {
        left: texts.text_of("recovery_code_used", "a@b.cc", None, {"left": left}).body
        for left in (0, 1)
    }
    assert "1 recovery code is left" in told[1]
    assert "0 recovery codes are left" in told[0]


def test_a_name_is_text_and_nothing_else() -> None:
    name = "<b>{{ 7 * 7 }}</b> & %s"
    made = texts.text_of("invitation", "ida@example.com", LINK, {"name": name, "role": "user"})
    assert made.body.startswith(f"Hello {name},\n")


def test_a_fact_that_is_missing_is_a_mistake_of_ours() -> None:
    with pytest.raises(UndefinedError):
        texts.text_of("invitation", "ida@example.com", LINK, {"name": "Ida"})
