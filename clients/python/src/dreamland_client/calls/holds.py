"""Holds: credits set aside, then captured or given back."""

from collections.abc import Iterator
from datetime import datetime

from dreamland_client.calls.base import Calls, path
from dreamland_client.holdings import Hold, Moved
from dreamland_client.reading import member, read
from dreamland_client.values import AmountLike, amount_text, time_text


class Holds(Calls):
    """Calls about holds."""

    def hold(
        self,
        user_id: str,
        asset: str,
        *,
        amount: AmountLike,
        reference: str,
        description: str | None = None,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Set credits aside, for 7 days unless said otherwise. Raises InsufficientFunds."""
        body = {
            "amount": amount_text(amount),
            "reference": reference,
            "description": description,
            "expires_at": time_text(expires_at) if expires_at else None,
        }
        return self._moved(_address(user_id, asset), body, idempotency_key)

    def capture(
        self,
        user_id: str,
        asset: str,
        hold_id: str,
        *,
        amount: AmountLike | None = None,
        reference: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Spend what is held, or a part, and give the rest back. Raises HoldNotOpen."""
        body = {
            "amount": None if amount is None else amount_text(amount),
            "reference": reference,
            "description": description,
        }
        return self._moved(_address(user_id, asset, hold_id, "captures"), body, idempotency_key)

    def release(
        self,
        user_id: str,
        asset: str,
        hold_id: str,
        *,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Moved:
        """Give back what is held. Raises HoldNotOpen."""
        address = _address(user_id, asset, hold_id, "releases")
        return self._moved(address, {"reason": reason}, idempotency_key)

    def holds(self, user_id: str, asset: str, *, page_size: int = 200) -> Iterator[Hold]:
        """Every hold of a wallet, newest first, open and ended."""
        return self._listed(Hold, _address(user_id, asset), "holds", page_size)

    def get_hold(self, user_id: str, asset: str, hold_id: str) -> Hold:
        """One hold. Raises NotFound."""
        return read(Hold, member(self._get(_address(user_id, asset, hold_id)), "hold"))


def _address(user_id: str, asset: str, *more: str) -> str:
    return path("users", user_id, "wallets", asset, "holds", *more)
