"""Keys over time: rotated with an overlap, revoked one by one or all of a client's, listed without secrets."""

import time
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from portal.ledger.errors import Refused
from portal.services import clients
from portal.services.webhooks import endpoints
from tests.concurrency.web import at_once
from tests.factories import Books

pytestmark = pytest.mark.usefixtures("context")


def key_of(token: str) -> clients.KeyInfo:
    caller = clients.caller_of(token)
    assert caller
    [found] = [key for key in clients.list_keys() if key.id == caller.key_id]
    return found


def test_a_rotated_key_and_the_new_one_are_the_same_clients_until_the_overlap_ends(
    books: Books,
) -> None:
    old = clients.create_key("game", ["read", "wins:write"])
    before = books.now()
    new, until = clients.rotate(key_of(old).id)
    assert before + clients.OVERLAP <= until <= books.now() + clients.OVERLAP
    callers = [clients.caller_of(token) for token in (old, new)]
    assert len({(caller.client_id, caller.scopes) for caller in callers if caller}) == 1
    assert all(callers)
    books.set_clock(until)
    time.sleep(clients.CACHE_S)
    assert clients.caller_of(old) is None
    assert clients.caller_of(new)


def test_a_key_is_not_remembered_beyond_its_overlap() -> None:
    old = clients.create_key("game", ["read"])
    number = key_of(old).id
    clients.rotate(number, overlap=timedelta(seconds=clients.CACHE_S + 0.2))
    time.sleep(clients.CACHE_S)
    assert clients.caller_of(old)  # remembered anew, 0.2 s before its end
    time.sleep(0.25)
    assert clients.caller_of(old) is None


def test_a_form_makes_one_key_however_often_and_at_once_it_is_sent(app: Flask) -> None:
    old = key_of(clients.create_key("game", ["read"]))

    def send(number: int) -> bool:
        with app.app_context():
            try:
                if number % 2:
                    clients.rotate(old.id, form_id="one-form")
                else:
                    clients.create_key("game", ["read"], form_id="one-form")
            except Refused as error:
                return error.code != "form_sent_before"
            return True

    done = at_once(*(partial(send, number) for number in range(6)))
    assert sorted(done) == [False] * 5 + [True]
    assert len(clients.list_keys("game")) == 2


def test_a_new_key_has_the_scopes_that_are_named_or_those_of_the_old_one() -> None:
    old = clients.create_key("game", ["read", "admin"])
    same, _ = clients.rotate(key_of(old).id)
    fewer, _ = clients.rotate(key_of(same).id, ["read"])
    assert key_of(same).scopes == ["read", "admin"]
    assert key_of(fewer).scopes == ["read"]


def test_an_overlap_is_never_made_longer_by_rotating_again() -> None:
    old = clients.create_key("game", ["read"])
    number = key_of(old).id
    _, first = clients.rotate(number, overlap=timedelta(hours=1))
    _, second = clients.rotate(number, overlap=timedelta(hours=5))
    assert second == first


def test_a_key_that_does_not_work_is_not_rotated() -> None:
    revoked, over = (clients.create_key("game", ["read"]) for _ in range(2))
    numbers = key_of(revoked).id, key_of(over).id
    clients.revoke(numbers[0])
    clients.rotate(numbers[1], overlap=timedelta(0))
    for number in numbers:
        with pytest.raises(Refused, match="does not work any more"):
            clients.rotate(number)
    with pytest.raises(Refused, match="there is no key"):
        clients.rotate(10**6)
    with pytest.raises(Refused, match="an overlap is"):
        clients.rotate(numbers[0], overlap=timedelta(days=-1))


def test_revoking_a_client_revokes_every_key_of_it_and_no_other() -> None:
    tokens = [clients.create_key("leaving", ["read"]) for _ in range(3)]
    other = clients.create_key("staying", ["read"])
    assert clients.revoke_all("leaving") == 3
    assert [clients.caller_of(token) for token in tokens] == [None] * 3
    assert clients.caller_of(other)
    with pytest.raises(Refused, match="there is no client"):
        clients.revoke_all("nobody")


def test_revoking_a_client_disables_its_webhook_endpoints_and_no_others() -> None:
    studios = [clients.named(name) for name in ("leaving", "staying")]
    for studio in studios:
        endpoints.make(studio, "http://127.0.0.1:9999/", None, None, None)
    by_hand = endpoints.make(studios[0], "http://127.0.0.1:9999/", None, None, None)
    endpoints.change(studios[0], by_hand.id, {"state": "disabled"})
    clients.revoke_all("leaving")
    [first, second], [other] = map(endpoints.every, studios)
    assert (first.state, first.disabled_reason) == (
        "disabled",
        "all keys of its client were revoked",
    )
    assert second.disabled_reason == "disabled by its client"
    assert other.state == "enabled"
    again = endpoints.change(studios[0], first.id, {"state": "enabled"})
    assert (again.state, again.disabled_reason) == ("enabled", None)


def test_a_key_revoked_again_stays_revoked_since_the_first_time(books: Books) -> None:
    number = key_of(clients.create_key("game", ["read"])).id
    clients.revoke(number)
    [first] = [key.revoked_at for key in clients.list_keys("game") if key.id == number]
    books.set_clock(books.now() + timedelta(hours=1))
    clients.revoke(number)
    assert [key.revoked_at for key in clients.list_keys("game") if key.id == number] == [first]
    with pytest.raises(Refused, match="there is no key"):
        clients.revoke(10**6)


def test_a_key_is_found_by_its_id_or_its_prefix(engine: Engine) -> None:
    key = key_of(clients.create_key("game", ["read"]))
    assert clients.find_key(str(key.id)) == clients.find_key(key.prefix) == key.id
    for unknown in ("", "dream_", "999999", "9" * 40, "٣", "dream_nobody"):
        with pytest.raises(Refused, match="there is no key"):
            clients.find_key(unknown)
    clients.create_key("game", ["read"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE api_keys SET prefix = :same"), {"same": key.prefix})
    with pytest.raises(Refused, match="name one by its id"):
        clients.find_key(key.prefix)


def test_a_list_of_keys_shows_no_secret() -> None:
    tokens = [clients.create_key(name, ["read"]) for name in ("one", "two")]
    listed = clients.list_keys()
    assert [key.client for key in listed] == ["one", "two"]
    assert [key.client for key in clients.list_keys("two")] == ["two"]
    assert not any(token[12:] in repr(listed) for token in tokens)
    with pytest.raises(Refused, match="there is no client"):
        clients.list_keys("three")
