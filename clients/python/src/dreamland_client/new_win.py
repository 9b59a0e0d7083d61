"""A win that is to be booked: checked and written out where it is made, so that its maker hears of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from dreamland_client.values import AmountLike, amount_text, time_text


@dataclass(frozen=True)
class NewWin:
    """`idempotency_key` is best made from the game's own ids: it must be the same after a restart.

    Raises TypeError and ValueError for an amount or a time that can't be sent.
    """

    user_id: str
    amount: AmountLike
    occurred_at: datetime
    game: str
    reference: str
    idempotency_key: str
    line: bytes = field(init=False, repr=False, compare=False)
    """Its JSON, as a batch and an import send it."""

    def __post_init__(self) -> None:
        if type(self.user_id) is not str or not self.user_id:
            raise TypeError("user_id is the user's id, a string")
        whose = {"user_id": self.user_id, "idempotency_key": self.idempotency_key}
        line = json.dumps(whose | self.body()).encode()
        object.__setattr__(self, "line", line)

    def body(self) -> dict[str, str]:
        """Its own fields, as a single call sends them."""
        return {
            "amount": amount_text(self.amount),
            "occurred_at": time_text(self.occurred_at),
            "game": self.game,
            "reference": self.reference,
        }
