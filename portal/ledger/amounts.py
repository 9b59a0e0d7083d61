"""Amounts: a positive `int` of base units inside, a canonical decimal string outside.

Never a float, never a Decimal of the default context (28 digits, rounds silently).
"""

import re

from portal.ledger.errors import InvalidAmount

MAX_AMOUNT = 2**256 - 1
MAX_TEXT = 120
"""No canonical amount is longer; anything longer is refused before it is parsed."""
CANONICAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


def parse(text: object, scale: int) -> int:
    """Base units of a decimal string of an asset with `scale` decimals.

    Raises InvalidAmount for anything but a string in canonical form, above zero, with no more
    decimals than the scale and at most 2^256-1 base units.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise InvalidAmount("the amount must be a decimal string")
    match = CANONICAL.fullmatch(text)
    if not match:
        raise InvalidAmount("the amount must look like 12 or 0.5, in ASCII digits")
    whole, decimals = match.group(1), match.group(2) or ""
    if len(decimals) > scale:
        raise InvalidAmount(f"the amount has more than {scale} decimals")
    units = int(whole + decimals.ljust(scale, "0"))
    if not 0 < units <= MAX_AMOUNT:
        raise InvalidAmount("the amount must be above zero and at most 2^256-1 base units")
    return units


def text(units: int, scale: int) -> str:
    """The decimal string of base units, without trailing zeros; negative ones carry a minus."""
    if not scale:
        return str(units)
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    digits = digits.rjust(scale + 1, "0")
    decimals = digits[-scale:].rstrip("0")
    return sign + digits[:-scale] + ("." + decimals if decimals else "")
