"""Types of the fields that requests carry, and how values are written."""

from datetime import UTC, date, datetime
from decimal import Decimal

from portal.ledger import amounts, chart
from portal.services.fields import Amount, Body, EmailText, LongText, Moment, ShortText

__all__ = [
    "Amount",
    "Body",
    "EmailText",
    "LongText",
    "Moment",
    "ShortText",
    "day",
    "decimal",
    "dream",
    "exact",
    "moment",
]


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{there.isoformat()[:-6]}Z"  # less +00:00


def day(value: date) -> str:
    return value.isoformat()


def decimal(units: int, scale: int) -> str:
    """The decimal string of base units."""
    return amounts.text(units, scale)


def dream(units: int) -> str:
    """The decimal string of base units of DREAM."""
    return amounts.text(units, chart.TOKEN_SCALE)


def exact(value: Decimal, scale: int) -> str:
    """The decimal string of base units that have decimals of their own, with all of them."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    return amounts.text(number * 10 ** max(exponent, 0), scale + max(-exponent, 0))
