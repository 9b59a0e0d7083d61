"""Types of the fields that clients send, in a request's body or a file's line, as pydantic checks them.

A body is checked as a whole and refused by the first field that is wrong.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from portal.ledger import amounts
from portal.ledger.errors import InvalidAmount, Refused

RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
MAX_TIME_LENGTH = 64
NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# The same in a JSON schema, for the document of the API.
AMOUNT_PATTERN = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
TEXT_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
EMAIL_PATTERN = r"^[^@\s\u0000-\u001f\u007f-\u009f]+@[^@\s\u0000-\u001f\u007f-\u009f]+$"

KEY = re.compile(r"[\x21-\x7e]{1,255}")
MAX_SAID = 200
"""Characters of a client's text that an error quotes."""

M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """A JSON object with known fields only, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _amount(value: Any, info: ValidationInfo) -> int:
    try:
        assert isinstance(info.context, int), "checked(model, value, scale)"
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


def checked(model: type[M], value: object, scale: int | None = None) -> M:
    """A value as a model; `scale` is that of its amounts.

    Raises Refused('validation_failed' or 'invalid_amount'), whose `param` names the first field
    that is wrong.
    """
    try:
        return model.model_validate(value, context=scale)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        code = "invalid_amount" if error["type"] == "invalid_amount" else "validation_failed"
        param = ".".join(str(part) for part in error["loc"]) or None
        detail = f"{param}: {error['msg']}" if param else error["msg"]
        raise Refused(code, sendable(detail), param=param and sendable(param)) from None


def checked_key(key: object) -> str:
    """An idempotency key of 1 to 255 visible ASCII characters.

    Raises Refused('idempotency_key_invalid').
    """
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise Refused("idempotency_key_invalid", "a key has 1 to 255 visible ASCII characters")
    return key


def sendable(text: str) -> str:
    """The start of a text, fit to be sent and stored: a field's name may hold what neither can."""
    return NOT_TEXT.sub("\ufffd", text[:MAX_SAID])
