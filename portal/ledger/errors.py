"""What the books may refuse, each with its stable code. Which HTTP status a code has, HTTP decides."""

from typing import Any


class LedgerError(Exception):
    """Base of all refusals. Nothing was written when one is raised.

    `code` is stable; `figures` are base units or plain values that help the caller.
    """

    code = "internal_error"

    def __init__(self, detail: str = "", **figures: Any) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.figures = figures


class ChartMismatch(LedgerError):
    """The database's chart is not the one in code."""

    def __init__(self, table: str, difference: str) -> None:
        super().__init__(f"ledger.{table} differs from portal/ledger/chart.py: {difference}")


class InvalidAmount(LedgerError):
    """Not a canonical decimal string within the asset's scale and the books' range."""

    code = "invalid_amount"


class Unavailable(LedgerError):
    """The database is away or too busy. The same idempotency key may be sent again."""

    code = "unavailable"


class NotFound(LedgerError):
    """No such owner, asset or entry; `code` says which."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Refused(LedgerError):
    """A rule of the books says no; `code` says which, the figures why."""

    def __init__(self, code: str, detail: str = "", **figures: Any) -> None:
        super().__init__(detail, **figures)
        self.code = code


class InternalError(LedgerError):
    """Something went wrong that the caller can't mend. Nothing was written."""


def first_line(error: BaseException) -> str:
    """What an error says, without the lines below: a database's quote the row, so client text."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
