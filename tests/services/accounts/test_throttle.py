"""Throttling, counted in a real Redis by all processes: what counts, what makes it undone, until when."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import URL, make_url

from config import Settings
from portal import create_app
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import emails, resets, sign_up, signing_in, throttle
from tests.conftest import settings_for
from tests.services.accounts.people import PASSWORD, actions, rows, somebody

HOME, OTHER = "192.0.2.1", "192.0.2.2"
MINUTES_15, HOUR = 900, 3600


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture(autouse=True)
def _nothing_counted(redis: Redis) -> None:
    """Each test begins with no count."""
    assert redis.dbsize() == 0


def fails(name: str, email: str = "", address: str = HOME, sign_in_id: int | None = None) -> str:
    """Try and fail; the code of the refusal."""
    with (
        pytest.raises(Refused) as refused,
        throttle.attempt(name, email=email, address=address, sign_in_id=sign_in_id),
    ):
        raise Refused("wrong")
    return refused.value.code


def succeeds(name: str, email: str = "", address: str = HOME, sign_in_id: int | None = None) -> str:
    """Try and succeed, if it is let; the code of the refusal else."""
    try:
        with throttle.attempt(name, email=email, address=address, sign_in_id=sign_in_id):
            return "right"
    except Refused as refused:
        return refused.code


@pytest.mark.usefixtures("context")
def test_five_failures_with_one_e_mail_from_one_address_are_let_in_fifteen_minutes() -> None:
    assert [fails("sign_in", "a@example.com") for _ in range(6)] == ["wrong"] * 5 + ["rate_limited"]
    assert succeeds("sign_in", "a@example.com") == "rate_limited"
    assert succeeds("sign_in", "a@example.com", OTHER) == "right"
    assert succeeds("sign_in", "b@example.com") == "right"


@pytest.mark.usefixtures("context")
def test_twenty_failures_with_one_e_mail_from_anywhere_are_let_in_an_hour() -> None:
    tried = [fails("sign_in", "a@example.com", f"192.0.2.{n}") for n in range(21)]
    assert tried == ["wrong"] * 20 + ["rate_limited"]


@pytest.mark.usefixtures("context")
def test_thirty_failures_from_one_address_are_let_in_fifteen_minutes() -> None:
    tried = [fails("sign_in", f"{n}@example.com") for n in range(31)]
    assert tried == ["wrong"] * 30 + ["rate_limited"]
    assert succeeds("sign_in", "31@example.com", OTHER) == "right"


@pytest.mark.usefixtures("context")
def test_successes_count_nowhere() -> None:
    assert {succeeds("sign_in", "a@example.com") for _ in range(50)} == {"right"}
    assert [fails("sign_in", "a@example.com") for _ in range(5)] == ["wrong"] * 5


@pytest.mark.usefixtures("context")
def test_a_success_undoes_the_failures_of_its_e_mail_and_address_alone() -> None:
    for _ in range(4):
        assert [fails("sign_in", "a@example.com") for _ in range(4)] == ["wrong"] * 4
        assert succeeds("sign_in", "a@example.com") == "right"
    tried = [fails("sign_in", "a@example.com", OTHER) for _ in range(5)]
    assert tried == ["wrong"] * 4 + ["rate_limited"], "twenty of the e-mail in the hour"


@pytest.mark.usefixtures("context")
def test_a_refused_try_counts_no_more_and_moves_no_end(redis: Redis) -> None:
    for _ in range(5):
        fails("sign_in", "a@example.com")
    before = {key: redis.get(key) for key in redis.scan_iter()}
    for key in before:
        redis.expire(key, 120)
    assert {fails("sign_in", "a@example.com") for _ in range(10)} == {"rate_limited"}
    assert {key: redis.get(key) for key in redis.scan_iter()} == before
    with pytest.raises(Refused) as refused:
        throttle.check("sign_in", email="a@example.com", address=HOME)
    assert refused.value.figures == {"retry_after_s": 120}
    assert refused.value.detail == "signing in failed too often: try again in 2 minutes"


@pytest.mark.usefixtures("context")
def test_one_is_told_when_to_try_again() -> None:
    for _ in range(5):
        fails("second_factor", sign_in_id=7)
    with pytest.raises(
        Refused, match="the codes were wrong too often: try again in 15 minutes"
    ) as refused:
        throttle.check("second_factor", sign_in_id=7)
    assert MINUTES_15 - 5 <= refused.value.figures["retry_after_s"] <= MINUTES_15


@pytest.mark.usefixtures("context")
def test_what_breaks_is_nobodys_failure() -> None:
    for _ in range(20):
        with (
            pytest.raises(RuntimeError, match="away"),
            throttle.attempt("sign_in", email="a@example.com", address=HOME),
        ):
            raise RuntimeError("the database is away")
    assert succeeds("sign_in", "a@example.com") == "right"


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("no address", "no address", True),
    ],
)
@pytest.mark.usefixtures("context")
def test_an_ipv6_address_counts_with_its_64(first: str, second: str, *, is_same: bool) -> None:
    for _ in range(5):
        fails("sign_in", "a@example.com", first)
    assert fails("sign_in", "a@example.com", second) == ("rate_limited" if is_same else "wrong")


@pytest.mark.usefixtures("context")
def test_the_same_e_mail_is_the_same_in_capitals_and_with_spaces() -> None:
    for email in ("a@example.com", "A@Example.com", " a@example.com "):
        for _ in range(2):
            result = fails("sign_in", email)
    assert result == "rate_limited"


@pytest.mark.usefixtures("context")
def test_who_tried_can_not_be_read_in_redis(redis: Redis) -> None:
    fails("sign_in", "someone@example.com", "2001:db8:1:2::1", 4711)
    kept = b" ".join(redis.scan_iter())
    assert len(kept.split()) == 3
    for word in (b"someone", b"example", b"2001", b"192", b"4711"):
        assert word not in kept


@pytest.mark.usefixtures("context")
def test_the_address_is_the_actors_unless_told() -> None:
    with audit.acting(audit.Actor("person", address=HOME)):
        for _ in range(20):
            throttle.check("sign_up", email=f"{_}@example.com")
        with pytest.raises(Refused):
            throttle.check("sign_up", email="another@example.com")
    with audit.acting(audit.Actor("person", address=OTHER)):
        throttle.check("sign_up", email="another@example.com")


def test_tries_at_the_same_time_get_no_further_than_in_turn(app: Flask) -> None:
    def try_once(_: int) -> str:
        with app.app_context():
            return fails("sign_in", "a@example.com")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(try_once, range(64))).count("wrong") <= 5


def fail_elsewhere(database: str, var_dir: str, number: int) -> list[str]:
    """For a process of its own."""
    app = create_app(settings_for(make_url(database), Path(var_dir)))
    with app.app_context():
        return [fails("sign_in", "a@example.com") for _ in range(number)]


def test_processes_share_their_counts(settings: Settings, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        asked = [(settings.database_url, str(tmp_path), 6)] * 2
        tried = list(chain.from_iterable(pool.starmap(fail_elsewhere, asked, chunksize=1)))
    assert 1 <= tried.count("wrong") <= 5
    assert tried.count("wrong") + tried.count("rate_limited") == 12


@pytest.fixture
def alone(settings: Settings) -> Iterator[Flask]:
    """The app where there is no Redis."""
    made = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    yield made
    made.extensions["dreamland"].engine.dispose()


def test_without_redis_a_process_counts_by_itself(alone: Flask) -> None:
    with alone.app_context():
        tried = [fails("sign_in", "a@example.com") for _ in range(6)]
        assert tried == ["wrong"] * 5 + ["rate_limited"]
        assert succeeds("sign_in", "b@example.com") == "right"
        assert not runtime().counts.is_shared()


# --- Where it is asked


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return error.value.code


@pytest.mark.usefixtures("context")
def test_signing_in_is_throttled_and_what_is_throttled_is_not_recorded() -> None:
    person = somebody()
    before = len(actions())
    tried = [refused(lambda: signing_in.check(person.email, "wrong")) for _ in range(7)]
    assert tried == ["sign_in_refused"] * 5 + ["rate_limited"] * 2
    assert refused(lambda: signing_in.check(person.email, PASSWORD)) == "rate_limited"
    assert actions()[before:] == ["session.refused"] * 5


@pytest.mark.usefixtures("context")
def test_an_unknown_e_mail_is_throttled_like_a_known_one() -> None:
    tried = [refused(lambda: signing_in.check("nobody@example.com", "wrong")) for _ in range(6)]
    assert tried == ["sign_in_refused"] * 5 + ["rate_limited"]


@pytest.mark.usefixtures("context")
def test_the_password_of_who_is_signed_in_is_throttled() -> None:
    person = somebody()
    tried = [refused(lambda: signing_in.confirm(person.sign_in_id, "wrong")) for _ in range(6)]
    assert tried == ["validation_failed"] * 5 + ["rate_limited"]
    assert refused(lambda: signing_in.confirm(person.sign_in_id, PASSWORD)) == "rate_limited"
    assert actions()[-5:] == ["password.refused"] * 5
    other = somebody()
    signing_in.confirm(other.sign_in_id, PASSWORD)


@pytest.mark.usefixtures("context")
def test_three_mails_an_hour_may_be_asked_for_by_an_e_mail() -> None:
    person = somebody()
    for request in (resets.request, sign_up.request):
        for _ in range(3):
            request(person.email)
        assert refused(lambda request=request: request(person.email)) == "rate_limited"  # type: ignore[misc]
    for _ in range(3):
        emails.request(person.sign_in_id, "another@example.com", PASSWORD)
    again = refused(lambda: emails.request(person.sign_in_id, "another@example.com", PASSWORD))
    assert again == "rate_limited"
    sent = rows("SELECT count(*) AS n FROM mails WHERE email = :e", e=person.email)
    assert sent[0].n == 6


def test_every_throttle_says_what_there_was_too_much_of() -> None:
    for each in throttle.THROTTLES.values():
        assert each.says
        assert all(limit.most > 0 and MINUTES_15 <= limit.window_s <= HOUR for limit in each.limits)
