"""Types of the fields that requests carry, as pydantic checks them, and how values are written."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from portal.ledger import amounts, chart
from portal.ledger.errors import InvalidAmount

RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
MAX_TIME_LENGTH = 64
NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# The same in a JSON schema, for the document of the API.
AMOUNT_PATTERN = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
TEXT_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
EMAIL_PATTERN = r"^[^@\s\u0000-\u001f\u007f-\u009f]+@[^@\s\u0000-\u001f\u007f-\u009f]+$"


class Body(BaseModel):
    """A JSON object with known fields only, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _amount(value: Any, info: ValidationInfo) -> int:
    try:
        assert isinstance(info.context, int), "requests.body(model, scale)"
        return amounts.parse(value, info.context)
    except InvalidAmount as error:
        raise PydanticCustomError("invalid_amount", "{detail}", {"detail": error.detail}) from None


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > MAX_TIME_LENGTH or not RFC_3339.fullmatch(value):
        raise PydanticCustomError("time", "must be an RFC 3339 time with an offset")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "must be a time that exists") from None


def _text(value: str) -> str:
    if NOT_TEXT.search(value):
        raise PydanticCustomError("text", "must be text without control characters")
    return value


Amount = Annotated[
    int,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": AMOUNT_PATTERN, "maxLength": amounts.MAX_TEXT}),
]
"""Base units, from a decimal string of an asset whose scale is the validation's context."""
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": MAX_TIME_LENGTH}),
]
"""UTC, from an RFC 3339 string with any offset."""
ShortText = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": TEXT_PATTERN}),
]
LongText = Annotated[
    str,
    Field(max_length=500),
    AfterValidator(_text),
    WithJsonSchema({"type": "string", "maxLength": 500, "pattern": TEXT_PATTERN}),
]
EmailText = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(_text),
    WithJsonSchema({"type": "string", "maxLength": 254, "pattern": EMAIL_PATTERN}),
]


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
