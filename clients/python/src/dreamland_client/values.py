"""Amounts and times as they are sent: exact, or refused before anything is."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from decimal import Context, Decimal, Inexact, localcontext

AmountLike = Decimal | int | str
"""What an amount may be given as. A float is refused: 0.1 is not a tenth."""

CANONICAL = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
LARGEST_EXPONENT = 78
EXACT = Context(prec=400, traps=[Inexact])
"""Decimal's own context rounds to 28 digits and says nothing; this one raises instead."""


def amount_text(value: AmountLike) -> str:
    """The canonical decimal string of an amount above zero. Raises TypeError, ValueError."""
    text = _plain(value)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text == "0" or text.startswith("-"):
        raise ValueError(f"an amount is above zero, not {value}")
    return text


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        kind = type(value).__name__
        raise TypeError(f"an amount is a Decimal, an int or a decimal string, not a {kind}")
    if isinstance(value, str):
        if not CANONICAL.fullmatch(value):
            raise ValueError(f"an amount is written like '0.25', not {value!r}")
        return value
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() > LARGEST_EXPONENT:
        raise ValueError("an amount is a finite number below 10^79")
    return format(number, "f")


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with every digit; `sum()` rounds to 28. Raises decimal.Inexact rather than round."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


def time_text(at: datetime) -> str:
    """RFC 3339 in UTC. Raises ValueError for a time without a zone: it could be any moment."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a time needs a zone: datetime.now(timezone.utc), not datetime.now()")
    return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """The time that an answer says. Raises ValueError."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return at
