"""Links that may be used once: what opens them, what ends them, and that nobody learns which of these it was."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from portal import create_app
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services.accounts import links
from portal.services.accounts.links import Kind, Link
from tests.factories import Books
from tests.services.accounts.conftest import rows, staff

pytestmark = pytest.mark.usefixtures("context")
KINDS: tuple[Kind, ...] = ("sign_up", "invitation", "reset", "email_change")


def make(kind: Kind, email: str = "ida@example.com", **of: Any) -> Link:
    with runtime().engine.begin() as connection:
        return links.make(connection, kind, email, **of)


def use(token: str, kind: Kind) -> Link:
    with runtime().engine.begin() as connection:
        return links.use(connection, token, kind)


def token_of(link: Link) -> str:
    return links.address(link).rpartition("/")[2]


def refused(token: str, kind: Kind = "reset") -> str:
    """Looked at and used, it says the same."""
    with pytest.raises(Refused) as looked:
        links.find(token)
    with pytest.raises(Refused) as used:
        use(token, kind)
    assert looked.value.code == used.value.code == "link_invalid"
    assert looked.value.detail == used.value.detail
    return used.value.detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_can_be_looked_at_often_and_used_once(kind: Kind) -> None:
    made = make(kind)
    token = token_of(made)
    assert links.find(token) == links.find(token) == made
    assert use(token, kind) == made
    refused(token, kind)


def test_the_address_is_the_portals_own() -> None:
    url = runtime().settings.public_url
    assert links.address(make("reset")).startswith(f"{url}/links/")


@pytest.mark.parametrize(("kind", "hours"), [("sign_up", 24), ("reset", 1), ("email_change", 24)])
def test_a_link_ends_after_its_time(books: Books, kind: Kind, hours: int) -> None:
    made = make(kind)
    assert made.expires_at - made.created_at == timedelta(hours=hours)
    books.set_clock(made.expires_at - timedelta(seconds=5))
    assert links.find(token_of(made))
    books.set_clock(made.expires_at)
    refused(token_of(made), kind)


def test_an_invitation_can_be_used_for_a_week() -> None:
    made = make("invitation", role="admin", name="Ada")
    assert made.expires_at - made.created_at == timedelta(days=7)


def test_every_link_that_cannot_be_used_is_refused_in_the_same_words(books: Books) -> None:
    used, old = token_of(make("reset", "a@example.com")), token_of(make("reset", "b@example.com"))
    use(used, "reset")
    replaced = token_of(make("reset", "c@example.com"))
    make("reset", "c@example.com")
    never = token_of(replace(make("reset", "d@example.com"), id=10**9))
    books.set_clock(books.now() + timedelta(hours=2))
    said = {refused(token) for token in (used, old, replaced, never, "", "nonsense", "a.b", "é.ü")}
    assert len(said) == 1


def test_no_other_kind_of_link_does(engine: Engine) -> None:
    token = token_of(make("sign_up"))
    with pytest.raises(Refused, match="can't be used"):
        use(token, "reset")
    assert rows(engine, "SELECT used_at FROM links") == [(None,)]


def test_a_token_is_of_one_secret_key_and_one_moment(app: Flask) -> None:
    made = make("reset")
    refused(token_of(replace(made, created_at=made.created_at + timedelta(microseconds=1))))
    refused(token_of(made)[:-1])
    settings = replace(app.extensions["dreamland"].settings, secret_key="s" * 40)
    with create_app(settings).app_context():
        another = token_of(made)
        assert links.find(another) == made
    refused(another)


def test_nothing_that_opens_a_link_is_stored(engine: Engine) -> None:
    token = token_of(make("reset"))
    [stored] = rows(engine, "SELECT to_jsonb(l)::text FROM links l")
    assert not [part for part in token.split(".") if part in stored[0]]


def test_a_newer_link_of_the_kind_for_the_same_e_mail_takes_its_place() -> None:
    first, other = make("sign_up"), make("sign_up", "eva@example.com")
    reset = make("reset")
    second = make("sign_up")
    refused(token_of(first), "sign_up")
    for link in (other, reset, second):
        assert links.find(token_of(link)) == link


def test_of_two_that_would_change_a_sign_ins_e_mail_only_the_newer_can_be_used() -> None:
    ida, eva = staff("ida@example.com"), staff("eva@example.com")
    first = make("email_change", "one@example.com", sign_in_id=ida)
    hers = make("email_change", "two@example.com", sign_in_id=eva)
    second = make("email_change", "two@example.com", sign_in_id=ida)
    refused(token_of(first), "email_change")
    assert links.find(token_of(hers)) == hers
    assert links.find(token_of(second)) == second


def test_what_rolls_back_has_not_used_the_link() -> None:
    token = token_of(make("reset"))
    with runtime().engine.connect() as connection:
        links.use(connection, token, "reset")
        connection.rollback()
    assert use(token, "reset")


def test_of_many_who_use_a_link_at_once_one_may(app: Flask) -> None:
    token = token_of(make("reset"))
    barrier = threading.Barrier(8)

    def attempt(_: int) -> bool:
        with app.app_context():
            barrier.wait()
            try:
                return bool(use(token, "reset"))
            except Refused:
                return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(8))).count(True) == 1


def test_the_links_of_a_sign_in_end_when_told(engine: Engine) -> None:
    ida, eva = staff("ida@example.com"), staff("eva@example.com")
    hers = make("reset", "eva@example.com", sign_in_id=eva)
    reset = make("reset", sign_in_id=ida)
    change = make("email_change", "new@example.com", sign_in_id=ida)
    with engine.begin() as connection:
        links.void(connection, ida)
    refused(token_of(reset))
    refused(token_of(change), "email_change")
    assert links.find(token_of(hers)) == hers


def test_links_are_forgotten_a_while_after_their_end(books: Books, engine: Engine) -> None:
    old, month = make("reset"), timedelta(days=30)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mails (kind, email, link_id, created_at, next_at)"
                " VALUES ('reset', 'a@b.cc', :id, ledger.clock(), ledger.clock())"
            ),
            {"id": make("reset", "mailed@example.com").id},
        )
    books.set_clock(old.expires_at + month + timedelta(seconds=1))
    fresh = make("reset")
    with engine.begin() as connection:
        assert links.forget(connection, month) == 1
    left = {link_id for (link_id,) in rows(engine, "SELECT id FROM links")}
    assert old.id not in left
    assert fresh.id in left
    assert len(left) == 2
