"""Payment references: each counts once a provider, and no payment is lost to a call that ended badly."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import URL

from tests.factories import Books

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def payment() -> str:
    """The reference of a payment that nobody has claimed."""
    return str(uuid4())


def top_up(books: Books, owner: int, key: str, payment: str, provider: str = "psp") -> str | None:
    """Claim and post, as the service does; the refusal's code, if any."""
    if not books.claim(provider, payment, owner, key):
        return "claimed"
    entry = books.paid_entry(owner, "GOLD_COIN", "10", key, provider, payment)
    return books.post(entry)[0].code


def test_a_payment_counts_once_a_provider(books: Books, payment: str) -> None:
    one, other = books.owner(), books.owner()
    assert top_up(books, one, "k", payment) is None
    assert top_up(books, one, "k2", payment) == "claimed"
    assert top_up(books, other, "k", payment) == "claimed"
    assert top_up(books, other, "k", payment, provider="another") is None


def test_a_retry_claims_its_own_payment_again(books: Books, payment: str) -> None:
    owner = books.owner()
    assert books.claim("psp", payment, owner, "k") is True
    assert books.claim("psp", payment, owner, "k") is True
    assert top_up(books, owner, "k", payment) is None
    assert top_up(books, owner, "k", payment) is None


def test_nobody_claims_for_a_user_who_is_not_there(books: Books, payment: str) -> None:
    assert books.claim("psp", payment, 2**62, "k") is None
    assert top_up(books, books.owner(), "k", payment) is None


def test_a_key_that_was_used_claims_nothing(books: Books, payment: str) -> None:
    owner = books.owner()
    assert top_up(books, owner, "k", str(uuid4())) is None
    assert books.claim("psp", payment, owner, "k") is True, "posting decides"
    assert top_up(books, books.owner(), "k", payment) is None, "and the payment is free"


def test_a_claim_whose_key_made_another_entry_is_void(books: Books, payment: str) -> None:
    """Two calls with one key and two payments: both claim, one is posted."""
    owner, other = books.owner(), str(uuid4())
    assert books.claim("psp", payment, owner, "k")
    assert top_up(books, owner, "k", other) is None
    assert top_up(books, owner, "k2", payment) is None
    assert top_up(books, owner, "k3", other) == "claimed"


def test_a_claim_whose_key_made_an_entry_of_another_kind_is_void(
    books: Books, payment: str
) -> None:
    owner = books.owner()
    assert books.claim("psp", payment, owner, "k")
    books.post(books.entry("bonus", owner, "1", asset="GOLD_COIN", key="k"))
    assert top_up(books, owner, "k2", payment) is None


def test_a_claim_whose_key_made_a_reversal_of_another_top_up_is_void(
    books: Books, payment: str
) -> None:
    """A reversal names the provider of its original, and no reference."""
    owner = books.owner()
    assert top_up(books, owner, "k", str(uuid4())) is None
    assert books.claim("psp", payment, owner, "k2")
    undo = books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=1, key="k2")
    assert books.post(undo)[0].status == "posted"
    assert top_up(books, owner, "k3", payment) is None


def test_a_top_up_whose_claim_was_taken_over_meanwhile_is_refused(
    books: Books, payment: str
) -> None:
    """A call that lasts longer than a day, whatever froze it."""
    slow, quick = books.owner(), books.owner()
    assert books.claim("psp", payment, slow, "k")
    late = books.paid_entry(slow, "GOLD_COIN", "10", "k", "psp", payment)
    books.set_clock(books.now() + DAY + timedelta(minutes=1))
    assert top_up(books, quick, "k", payment) is None
    assert books.post(late)[0].code == "payment_reference_reused"


def test_no_top_up_is_booked_without_a_claim_or_by_anothers(books: Books, payment: str) -> None:
    owner, other = books.owner(), books.owner()
    assert books.claim("psp", payment, other, "k")
    taken = books.paid_entry(owner, "GOLD_COIN", "10", "k", "psp", payment)
    unclaimed = books.paid_entry(owner, "GOLD_COIN", "10", "k2", "psp", str(uuid4()))
    nobodys = replace(books.entry("bonus", owner, "10", asset="GOLD_COIN"), kind="top_up")
    codes = [outcome.code for outcome in books.post(taken, unclaimed, nobodys)]
    assert codes == ["payment_reference_reused"] * 3
    assert books.post(nobodys)[0].code == "payment_reference_reused"


def test_a_claim_that_came_to_nothing_is_void_after_a_day(books: Books, payment: str) -> None:
    owner = books.owner()
    assert books.claim("psp", payment, owner, "k")
    books.set_clock(books.now() + DAY - timedelta(minutes=1))
    assert top_up(books, owner, "k2", payment) == "claimed"
    assert books.claim("psp", payment, owner, "k"), "the same key renews it"
    books.set_clock(books.now() + timedelta(hours=23))
    assert top_up(books, owner, "k2", payment) == "claimed"
    books.set_clock(books.now() + timedelta(hours=2))
    assert top_up(books, owner, "k2", payment) is None
    assert top_up(books, owner, "k", payment) == "claimed", "the late retry finds it taken"


def test_a_payment_that_was_booked_stays_claimed_for_ever(books: Books, payment: str) -> None:
    owner = books.owner()
    assert top_up(books, owner, "k", payment) is None
    books.reverse(owner, 1, "GOLD_COIN")
    books.set_clock(books.now() + 10 * DAY)
    assert top_up(books, owner, "k2", payment) == "claimed"
    assert top_up(books, books.owner(), "k", payment) == "claimed"
