"""One user's wallet of one credit, as a game server moves it and reads it over HTTP."""

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.api.conftest import Api

PAID = ("top-ups", "bonuses", "spends", "holds")
"""The calls that need an amount and a reference."""


@dataclass(frozen=True)
class Purse:
    """Calls below `/users/<user>/wallets/<asset>`; each with a key of its own unless one is given."""

    api: Api
    user: str
    asset: str = "GOLD_COIN"

    @property
    def path(self) -> str:
        return f"/users/{self.user}/wallets/{self.asset}"

    def send(
        self, call: str, amount: str | None = None, key: str = "", token: str = "", **fields: Any
    ) -> TestResponse:
        """Ask for a movement, `holds/7-2/captures` say."""
        body = {} if amount is None else {"amount": amount}
        if call in PAID:
            body["reference"] = self.api.new_key()
        key = key or self.api.new_key()
        return self.api.post(f"{self.path}/{call}", body | fields, key=key, token=token)

    def book(self, call: str, amount: str | None = None, **fields: Any) -> Any:
        """The answer to a movement that must be booked."""
        answer = self.send(call, amount, **fields)
        assert answer.status_code == 201, answer.text
        return answer.json

    def top_up(self, amount: str) -> str:
        """The id of the entry."""
        return str(self.book("top-ups", amount)["transaction"]["entry_id"])

    def spend(self, amount: str) -> str:
        return str(self.book("spends", amount)["transaction"]["entry_id"])

    def hold(self, amount: str, **fields: Any) -> str:
        """The id of the hold."""
        return str(self.book("holds", amount, **fields)["hold"]["hold_id"])

    def capture(self, hold: str, amount: str | None = None, **fields: Any) -> TestResponse:
        return self.send(f"holds/{hold}/captures", amount, **fields)

    def release(self, hold: str, **fields: Any) -> TestResponse:
        return self.send(f"holds/{hold}/releases", **fields)

    def reverse(
        self, entry: str, key: str = "", token: str = "", reason: str = "mistaken"
    ) -> TestResponse:
        path = f"/users/{self.user}/entries/{entry}/reversals"
        return self.api.post(path, {"reason": reason}, key=key or self.api.new_key(), token=token)

    def held(self, hold: str) -> Any:
        """The hold as it is now."""
        return self.api.read(f"{self.path}/holds/{hold}")["hold"]

    def now(self, at: str | None = None) -> tuple[str, str, str]:
        """Balance, held and available, now or as of a time."""
        wallet = self.api.read(self.path + (f"?at={at}" if at else ""))
        return figures(wallet)

    def lines(self) -> Any:
        """The transactions, newest first."""
        return self.api.read(f"{self.path}/transactions?limit=200")["transactions"]


def figures(answer: Any) -> tuple[str, str, str]:
    """What an answer says of the wallet."""
    return answer["balance"], answer["held"], answer["available"]


def refused(answer: TestResponse, code: str, **figures: str) -> None:
    """The answer is a refusal with that code, and with these figures."""
    assert answer.json
    assert answer.json["code"] == code, answer.text
    assert answer.status_code == answer.json["status"] == (404 if "unknown" in code else 422)
    assert {name: answer.json.get(name) for name in figures} == figures


def replayed(first: TestResponse, again: TestResponse) -> None:
    """The second answer is of the same transaction, and says so."""
    assert (first.status_code, again.status_code) == (201, 200), (first.text, again.text)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json
    assert again.json
    assert again.json["transaction"] == first.json["transaction"]
