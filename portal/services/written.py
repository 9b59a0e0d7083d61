"""How values are written in JSON: in the API's answers, and in events, which say the same."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from portal.ledger import amounts, chart

TOKEN = "DREAM"  # noqa: S105 - a token of the games, not of a sign-in


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{there.isoformat()[:-6]}Z"  # less +00:00


def day(value: date) -> str:
    """YYYY-MM-DD."""
    return value.isoformat()


def decimal(units: int, scale: int) -> str:
    """The decimal string of base units."""
    return amounts.text(units, scale)


def dream(units: int) -> str:
    """The decimal string of base units of DREAM."""
    return amounts.text(units, chart.TOKEN_SCALE)


def usd(units: int) -> str:
    """The decimal string of base units of USD."""
    return amounts.text(units, chart.USD_SCALE)


def exact(value: Decimal, scale: int) -> str:
    """The decimal string of base units that have decimals of their own, with all of them."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    return amounts.text(number * 10 ** max(exponent, 0), scale + max(-exponent, 0))


class Said(Protocol):
    """What a client said of a win."""

    @property
    def occurred_at(self) -> datetime: ...  # noqa: D102
    @property
    def game(self) -> str | None: ...  # noqa: D102
    @property
    def reference(self) -> str | None: ...  # noqa: D102


class Booked(Protocol):
    """What the books say of it."""

    @property
    def seq(self) -> int | None: ...  # noqa: D102
    @property
    def booked_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def day(self) -> date | None: ...  # noqa: D102


def win(user_id: int, amount: int, said: Said, booked: Booked) -> dict[str, Any]:
    """A win that was booked: the same object wherever it is told of. `amount` is in base units."""
    assert booked.booked_at is not None
    assert booked.day is not None
    return {
        "entry_id": f"{user_id}-{booked.seq}",
        "user_id": str(user_id),
        "asset": TOKEN,
        "amount": dream(amount),
        "occurred_at": moment(said.occurred_at),
        "booked_at": moment(booked.booked_at),
        "day": day(booked.day),
        "game": said.game,
        "reference": said.reference,
    }
