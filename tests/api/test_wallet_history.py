"""A wallet after random moves: every answer, transaction and past balance is what a model says it was."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.ledger import amounts
from portal.services import verification
from tests.api.conftest import Api
from tests.api.purse import Purse, figures, refused

SCALES = {"GOLD_COIN": 0, "LOYALTY_POINT": 2}
MOVES = 40
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Model:
    """What a wallet must be: in base units, with how it was after each entry."""

    scale: int
    available: int = 0
    held: int = 0
    holds: dict[str, int] = field(default_factory=dict)
    booked: dict[str, int] = field(default_factory=dict)
    """What an entry that may be reversed changed the balance by."""
    past: list[tuple[str, tuple[str, str, str]]] = field(default_factory=list)

    def text(self, units: int) -> str:
        return amounts.text(units, self.scale)

    def figures(self) -> tuple[str, str, str]:
        """Balance, held and available."""
        balance = self.available + self.held
        return self.text(balance), self.text(self.held), self.text(self.available)


class Player:
    """Moves a wallet at random, over HTTP and in the model."""

    def __init__(self, purse: Purse, seed: int) -> None:
        self.purse = purse
        self.model = Model(SCALES[purse.asset])
        self._random = random.Random(seed)

    def play(self) -> None:
        """One move: booked in both, or refused for what the model says there is."""
        moves = (self._earn, self._spend, self._hold, self._end, self._reverse)
        answer = self._random.choice(moves)()
        if answer is not None:
            assert figures(answer) == self.model.figures() == self.purse.now()
            self.model.past.append((answer["transaction"]["booked_at"], self.model.figures()))

    def _amount(self) -> int:
        return self._random.randrange(1, 500)

    def _earn(self) -> Any:
        units, call = self._amount(), self._random.choice(("top-ups", "bonuses"))
        answer = self.purse.book(call, self.model.text(units))
        self.model.available += units
        self.model.booked[answer["transaction"]["entry_id"]] = units
        return answer

    def _take(self, call: str, units: int) -> Any:
        """A spend or hold: its answer, or None where it is refused, as it must be."""
        if units > self.model.available:
            balance, held, available = self.model.figures()
            answer = self.purse.send(call, self.model.text(units))
            there = {"balance": balance, "held": held, "available": available}
            refused(answer, "insufficient_funds", **there)
            return None
        self.model.available -= units
        return self.purse.book(call, self.model.text(units))

    def _spend(self) -> Any:
        units = self._amount()
        answer = self._take("spends", units)
        if answer:
            self.model.booked[answer["transaction"]["entry_id"]] = -units
        return answer

    def _hold(self) -> Any:
        units = self._amount()
        answer = self._take("holds", units)
        if answer:
            self.model.held += units
            self.model.holds[answer["hold"]["hold_id"]] = units
        return answer

    def _end(self) -> Any:
        if not self.model.holds:
            return None
        hold = self._random.choice(sorted(self.model.holds))
        units = self.model.holds.pop(hold)
        taken = self._random.choice((0, units, self._random.randrange(1, units + 1)))
        self.model.held -= units
        self.model.available += units - taken
        if not taken:
            return self.purse.book(f"holds/{hold}/releases")
        return self.purse.book(f"holds/{hold}/captures", self.model.text(taken))

    def _reverse(self) -> Any:
        if not self.model.booked:
            return None
        entry = self._random.choice(sorted(self.model.booked))
        units = self.model.booked[entry]
        answer = self.purse.reverse(entry)
        if units > self.model.available:
            refused(answer, "insufficient_funds")
            return None
        assert answer.status_code == 201
        del self.model.booked[entry]
        self.model.available -= units
        return answer.json


@pytest.fixture(scope="module", params=[("GOLD_COIN", 1), ("LOYALTY_POINT", 2), ("GOLD_COIN", 3)])
def player(api: Api, request: pytest.FixtureRequest) -> Player:
    """Who has made all moves, beside wins and the wallet of another asset."""
    asset, seed = request.param
    user = api.user("Asia/Tokyo")
    other = Purse(api, user, "DIAMOND")
    made = Player(Purse(api, user, asset), seed)
    while len(made.model.past) < MOVES:
        made.play()
        if len(made.model.past) % 10 == 3:
            other.top_up("1000")
            other.hold("3")
            api.won(user, "0.01")
    return made


def test_a_wallet_at_a_time_is_what_it_was_then(player: Player) -> None:
    empty = ("0", "0", "0")
    before = empty
    for at, then in player.model.past:
        assert player.purse.now(at) == then
        moment = datetime.fromisoformat(at) - MICROSECOND
        assert player.purse.now(moment.isoformat().replace("+00:00", "Z")) == before
        before = then
    assert player.purse.now("9999-12-31T23:59:59Z") == before == player.purse.now()


def test_transactions_lead_to_each_other(player: Player) -> None:
    lines = player.purse.lines()[::-1]
    balance = held = 0
    for line, (at, then) in zip(lines, player.model.past, strict=True):
        scale = player.model.scale
        balance += units(line["amount"], scale)
        held += units(line["held_change"], scale)
        assert line["balance_after"] == amounts.text(balance, scale) == then[0]
        assert amounts.text(held, scale) == then[1]
        assert line["booked_at"] == line["occurred_at"] == at
    assert player.purse.now()[:2] == (amounts.text(balance, scale), amounts.text(held, scale))


def units(signed: str, scale: int) -> int:
    """Base units of an amount that may be negative or zero."""
    if signed == "0":
        return 0
    sign = -1 if signed.startswith("-") else 1
    return sign * amounts.parse(signed.removeprefix("-"), scale)


def test_the_pages_of_transactions_are_the_list(player: Player) -> None:
    path = f"{player.purse.path}/transactions"
    lines = player.purse.lines()
    for size in (1, 7, len(lines), 200):
        assert player.purse.api.pages(path, "transactions", size) == lines


def test_what_is_held_is_the_sum_of_the_open_holds(player: Player) -> None:
    purse, scale = player.purse, player.model.scale
    listed = purse.api.pages(f"{purse.path}/holds", "holds", 5)
    still = {hold["hold_id"]: hold["amount"] for hold in listed if hold["state"] == "open"}
    assert still == {hold: amounts.text(n, scale) for hold, n in player.model.holds.items()}
    for hold in listed:
        if hold["state"] == "captured":
            assert units(hold["captured"], scale) <= units(hold["amount"], scale)


def test_the_books_are_clean(player: Player) -> None:
    with player.purse.api.app.app_context():
        assert [str(each) for each in verification.verify().differences] == []
