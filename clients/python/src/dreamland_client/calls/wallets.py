"""Assets, wallets, and what moves credits."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from dreamland_client.answers import UsdDay, UsdHistory
from dreamland_client.calls.base import Calls, path
from dreamland_client.holdings import Asset, Line, Moved, Wallet
from dreamland_client.reading import read, read_list
from dreamland_client.values import AmountLike, amount_text, time_text


class Wallets(Calls):
    """Calls about wallets."""

    def assets(self) -> tuple[Asset, ...]:
        """Every asset with its scale and kind."""
        return read_list(Asset, self._get(path("assets")), "assets")

    def wallets(self, user_id: str) -> tuple[Wallet, ...]:
        """What a user has of every asset."""
        return read_list(Wallet, self._get(path("users", user_id, "wallets")), "wallets")

    def wallet(self, user_id: str, asset: str, *, at: datetime | None = None) -> Wallet:
        """What a user has of an asset, now or at a booked time."""
        query = {"at": time_text(at) if at else None}
        return read(Wallet, self._get(path("users", user_id, "wallets", asset), query))

    def transactions(self, user_id: str, asset: str, *, page_size: int = 200) -> Iterator[Line]:
        """Everything that moved a wallet, newest first."""
        address = path("users", user_id, "wallets", asset, "transactions")
        return self._listed(Line, address, "transactions", page_size)

    def usd_history(
        self,
        user_id: str,
        *,
        first: date | None = None,
        last: date | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> UsdHistory:
        """A page of USD by local day up to yesterday, newest first, with the range's total."""
        query = _range(first, last) | {"limit": str(limit), "cursor": cursor}
        return read(UsdHistory, self._get(path("users", user_id, "usd", "history"), query))

    def usd_days(
        self, user_id: str, *, first: date | None = None, last: date | None = None
    ) -> Iterator[UsdDay]:
        """Every day of that range, newest first."""
        cursor: str | None = None
        while True:
            page = self.usd_history(user_id, first=first, last=last, limit=200, cursor=cursor)
            yield from page.days
            cursor = page.next_cursor
            if cursor is None:
                return

    def top_up(
        self,
        user_id: str,
        asset: str,
        *,
        amount: AmountLike,
        reference: str,
        provider: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Book what was paid for; `reference` is the payment's. Raises PaymentReferenceReused."""
        body = {"reference": reference, "provider": provider, "description": description}
        return self._move(user_id, asset, "top-ups", amount, body, idempotency_key)

    def bonus(
        self,
        user_id: str,
        asset: str,
        *,
        amount: AmountLike,
        reference: str,
        reason: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Grant credits."""
        body = {"reference": reference, "reason": reason, "description": description}
        return self._move(user_id, asset, "bonuses", amount, body, idempotency_key)

    def spend(
        self,
        user_id: str,
        asset: str,
        *,
        amount: AmountLike,
        reference: str,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Spend credits. Raises InsufficientFunds."""
        body = {"reference": reference, "description": description}
        return self._move(user_id, asset, "spends", amount, body, idempotency_key)

    def reverse(
        self, user_id: str, entry_id: str, *, reason: str, idempotency_key: str | None = None
    ) -> Moved:
        """Turn a top-up, bonus or spend round, once. Raises AlreadyReversed, InsufficientFunds."""
        address = path("users", user_id, "entries", entry_id, "reversals")
        return self._moved(address, {"reason": reason}, idempotency_key)

    def _move(
        self,
        user_id: str,
        asset: str,
        what: str,
        amount: AmountLike,
        body: dict[str, Any],
        key: str | None,
    ) -> Moved:
        address = path("users", user_id, "wallets", asset, what)
        return self._moved(address, {"amount": amount_text(amount)} | body, key)


def _range(first: date | None, last: date | None) -> dict[str, str | None]:
    for day in (first, last):
        if isinstance(day, datetime):
            raise TypeError("a day is a date: the user's local one, without a time")
    return {
        "from": first.isoformat() if first else None,
        "to": last.isoformat() if last else None,
    }
