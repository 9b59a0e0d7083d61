"""Wallets with many at once: what fits is accepted, a payment or hold counts once, nobody deadlocks."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask

from portal import ledger
from portal.services import clients, verification
from tests.concurrency.watch import Watch
from tests.concurrency.web import Answer, Web, at_once, count_of
from tests.factories import Books

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
ENTRIES = "SELECT count(*) FROM ledger.entries"
BOOKED, REPLAYED = (201, None), (200, None)


@pytest.fixture
def verified(app: Flask) -> Iterator[None]:
    """The books are clean at the end."""
    yield
    with app.app_context():
        assert [str(each) for each in verification.verify().differences] == []


pytestmark = pytest.mark.usefixtures("verified")


class Shop:
    """A game server that calls the app in this process, from as many threads as it likes."""

    def __init__(self, app: Flask, books: Books) -> None:
        self.books = books
        self._app = app
        with app.app_context():
            key = clients.create_key("shop", list(clients.SCOPES))
        self._headers = {"Authorization": f"Bearer {key}"}

    def call(self, path: str, key: str, **body: str) -> Answer:
        """POST to a path below /users."""
        headers = self._headers | {"Idempotency-Key": key}
        path = f"/api/v1/users/{path}"
        made = self._app.test_client().post(path, json=body, headers=headers)
        assert made.json
        return Answer(made.status_code, made.json, {k.lower(): v for k, v in made.headers})

    def move(self, user: int, call: str, key: str, amount: str, reference: str = "r") -> Answer:
        path = f"{user}/wallets/GOLD_COIN/{call}"
        return self.call(path, key, amount=amount, reference=reference)

    def rich(self, amount: str = "100") -> int:
        """A user with Gold Coins, of one top-up."""
        made = self.books.owner()
        self.books.top_up(made, "GOLD_COIN", amount)
        return made

    def wallet(self, user: int) -> ledger.Wallet:
        """What the user has in Gold Coins."""
        return self.books.wallet(user, "GOLD_COIN")


@pytest.fixture
def shop(app: Flask, books: Books) -> Shop:
    return Shop(app, books)


def told(answers: list[Answer]) -> dict[tuple[int, str | None], int]:
    """How often each status came with each code."""
    return count_of((each.status, each.body.get("code")) for each in answers)


def test_racing_spends_are_accepted_up_to_exactly_what_there_is(shop: Shop) -> None:
    user = shop.rich()
    answers = at_once(*(partial(shop.move, user, "spends", f"k{n}", "7") for n in range(32)))
    assert told(answers) == {BOOKED: 14, (422, "insufficient_funds"): 18}
    booked = sorted(int(each.body["balance"]) for each in answers if each.status == 201)
    assert booked == list(range(2, 100, 7))
    assert {each.body["available"] for each in answers if each.status == 422} == {"2"}
    assert shop.wallet(user) == ledger.Wallet(2, 0)


def test_racing_spends_of_all_sizes_are_refused_only_where_they_would_not_have_fitted(
    shop: Shop,
) -> None:
    user = shop.rich()
    sizes = [1 + n * 5 % 23 for n in range(32)]
    work = [partial(shop.move, user, "spends", f"k{n}", str(size)) for n, size in enumerate(sizes)]
    answers = at_once(*work)
    accepted = sum(n for n, each in zip(sizes, answers, strict=True) if each.status == 201)
    assert shop.wallet(user) == ledger.Wallet(100 - accepted, 0)
    for size, answer in zip(sizes, answers, strict=True):
        if answer.status != 201:
            assert answer.body["code"] == "insufficient_funds"
            assert int(answer.body["available"]) < size


def test_spends_and_holds_race_for_the_same_credits(shop: Shop) -> None:
    user = shop.rich()
    calls = ["spends", "holds"] * 16
    answers = at_once(
        *(partial(shop.move, user, call, f"k{n}", "7") for n, call in enumerate(calls))
    )
    assert told(answers) == {BOOKED: 14, (422, "insufficient_funds"): 18}
    holds = sum(each.status == 201 and "hold" in each.body for each in answers)
    assert shop.wallet(user) == ledger.Wallet(2 + 7 * holds, 7 * holds)


@pytest.mark.parametrize("calls", [("captures",), ("releases",), ("captures", "releases")])
def test_of_racing_endings_of_a_hold_exactly_one_ends_it(
    shop: Shop, calls: tuple[str, ...]
) -> None:
    user = shop.rich()
    hold = f"{user}-{shop.books.hold(user, 'GOLD_COIN', '30')}"
    path = f"{user}/wallets/GOLD_COIN/holds/{hold}"
    kinds = [calls[n % len(calls)] for n in range(16)]
    answers = at_once(
        *(partial(shop.call, f"{path}/{kind}", f"k{n}") for n, kind in enumerate(kinds))
    )
    assert told(answers) == {BOOKED: 1, (422, "hold_not_open"): 15}
    [ended] = [each.body for each in answers if each.status == 201]
    left = 70 if ended["transaction"]["kind"] == "capture" else 100
    assert shop.wallet(user) == ledger.Wallet(left, 0)
    assert ended["hold"]["ended_by"] == ended["transaction"]["entry_id"]


def test_of_racing_captures_with_one_key_one_is_booked_and_all_are_answered_alike(
    shop: Shop,
) -> None:
    user = shop.rich()
    hold = f"{user}-{shop.books.hold(user, 'GOLD_COIN', '30')}"
    path = f"{user}/wallets/GOLD_COIN/holds/{hold}/captures"
    answers = at_once(*[partial(shop.call, path, "k", amount="20")] * 16)
    assert told(answers) == {BOOKED: 1, REPLAYED: 15}
    assert len({str(each.body) for each in answers}) == 1
    assert shop.wallet(user) == ledger.Wallet(80, 0)


def test_of_racing_top_ups_of_one_payment_exactly_one_is_booked(shop: Shop, watch: Watch) -> None:
    users = [shop.books.owner() for _ in range(4)]
    answers = at_once(
        *(partial(shop.move, users[n % 4], "top-ups", f"k{n}", "10", "paid") for n in range(16))
    )
    assert told(answers) == {BOOKED: 1, (422, "payment_reference_reused"): 15}
    assert sum(shop.wallet(user).balance for user in users) == 10
    assert watch.value(ENTRIES) == 1


def test_of_racing_top_ups_with_one_key_one_is_booked_and_the_others_find_it(shop: Shop) -> None:
    user = shop.books.owner()
    answers = at_once(*[partial(shop.move, user, "top-ups", "k", "10", "paid")] * 16)
    assert told(answers) == {BOOKED: 1, REPLAYED: 15}
    assert len({str(each.body) for each in answers}) == 1
    replayed = [each.headers.get("idempotent-replayed") for each in answers if each.status == 200]
    assert replayed == ["true"] * 15
    assert shop.wallet(user) == ledger.Wallet(10, 0)


def test_of_racing_top_ups_over_two_web_processes_one_is_booked(
    books: Books, web: Web, watch: Watch
) -> None:
    users = [books.owner() for _ in range(2)]
    callers = [web.caller() for _ in range(16)]
    for number in range(1, 6):
        body = {"amount": "10", "reference": f"paid {number}"}

        def ask(n: int, key: str, body: dict[str, str] = body) -> Answer:
            path = f"/api/v1/users/{users[n % 2]}/wallets/DIAMOND/top-ups"
            return callers[n].ask("POST", path, body, Idempotency_Key=key)

        answers = at_once(*(partial(ask, n, f"{number}-{n % 4}") for n in range(16)))
        assert told(answers) == {
            BOOKED: 1,
            REPLAYED: 3,
            (422, "payment_reference_reused"): 12,
        }
    assert watch.value(ENTRIES) == 5


def test_one_key_that_races_with_two_payments_leaves_the_one_that_lost_free(shop: Shop) -> None:
    user, other = shop.books.owner(), shop.books.owner()
    names = ("paid", "late")
    answers = at_once(
        *(partial(shop.move, user, "top-ups", "k", "10", names[n % 2]) for n in range(16))
    )
    assert told(answers) == {BOOKED: 1, REPLAYED: 7, (422, "idempotency_key_reused"): 8}
    [booked] = [each.body["transaction"]["reference"] for each in answers if each.status == 201]
    for name in names:
        again = shop.move(other, "top-ups", f"k-{name}", "10", name)
        assert again.body.get("code") == ("payment_reference_reused" if name == booked else None)
    assert [shop.wallet(each).balance for each in (user, other)] == [10, 10]


@pytest.mark.parametrize("keys", [16, 1])
def test_of_racing_reversals_of_one_entry_one_is_booked(shop: Shop, keys: int) -> None:
    user = shop.rich()
    path = f"{user}/entries/{user}-1/reversals"
    answers = at_once(
        *(partial(shop.call, path, f"k{n % keys}", reason="mistaken") for n in range(16))
    )
    others = (422, "already_reversed") if keys > 1 else REPLAYED
    assert told(answers) == {BOOKED: 1, others: 15}
    assert shop.wallet(user) == ledger.Wallet(0, 0)


def test_of_a_reversal_that_races_with_spends_one_side_wins(shop: Shop) -> None:
    user = shop.rich()
    work: list[Callable[[], Answer]] = [
        partial(shop.move, user, "spends", f"k{n}", "1") for n in range(15)
    ]
    reverse = partial(shop.call, f"{user}/entries/{user}-1/reversals", "r", reason="mistaken")
    *spent, reversed_ = at_once(*work, reverse)
    if reversed_.status == 201:
        assert told(spent) == {(422, "insufficient_funds"): 15}
    else:
        assert reversed_.body["code"] == "insufficient_funds"
    left = 0 if reversed_.status == 201 else 85
    assert shop.wallet(user) == ledger.Wallet(left, 0)


def test_two_posters_whose_top_ups_and_holds_cross_never_deadlock(
    books: Books, posters: list[ledger.Poster], watch: Watch
) -> None:
    owners = [books.owner() for _ in range(12)]

    def post(number: int, entries: list[ledger.Entry]) -> list[ledger.Outcome]:
        """As one batch, or one by one through a web process's poster."""
        if number % 3:
            return books.post(*entries)
        return [posters[number % 2].post(entry) for entry in entries]

    def play(number: int) -> None:
        mixed = owners[number:] + owners[:number]
        for step in range(6):
            paid = [books.entry("top_up", owner, "10", asset="GOLD_COIN") for owner in mixed]
            held = [books.entry("hold", owner, "4", asset="GOLD_COIN") for owner in mixed[::-1]]
            assert {outcome.status for outcome in post(number, paid)} == {"posted"}
            holds = post(number, held)
            kind = "capture" if step % 2 else "release"
            ends: list[Any] = [
                books.entry(kind, entry.owner_id, None, asset="GOLD_COIN", ends=outcome.seq)
                for entry, outcome in zip(held, holds, strict=True)
            ]
            assert {outcome.status for outcome in post(number, ends)} == {"posted"}

    at_once(*(partial(play, number) for number in range(8)))
    assert watch.value(ENTRIES) == 8 * 6 * 3 * len(owners)
    for owner in owners:
        assert books.wallet(owner, "GOLD_COIN") == ledger.Wallet(8 * 6 * 10 - 8 * 3 * 4, 0)
    assert watch.value(DEADLOCKS) == 0
