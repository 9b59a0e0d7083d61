"""The words of the API: what a field means, its unit, and an example. Models are made of these.

A word that a request carries adds nothing to how `fields` checks it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.services import fields

AMOUNT = fields.AMOUNT_PATTERN
SIGNED = AMOUNT.replace("^", "^-?", 1)
ID = "^[1-9][0-9]{0,18}$"
ENTRY_ID = "^[1-9][0-9]{0,18}-[1-9][0-9]{0,18}$"
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def said(description: str, example: Any, **schema: Any) -> Any:
    """What a word means, one example of it, and more of its JSON schema."""
    return Field(description=description, examples=[example], json_schema_extra=schema or None)


def _time(description: str, example: str) -> Any:
    return said(f"{description}. RFC 3339, in UTC.", example, format="date-time")


# --- Ids and names
UserId = Annotated[str, said("The user's id.", "1", pattern=ID)]
EntryId = Annotated[
    str, said("The entry's id: the user's, and its number there.", "1-3", pattern=ENTRY_ID)
]
HoldId = Annotated[str, said("The hold's id, which is that of its entry.", "1-4", pattern=ENTRY_ID)]
AssetCode = Annotated[str, said("The asset's code.", "GOLD_COIN", pattern="^[A-Z][A-Z0-9_]*$")]
Dream = Annotated[Literal["DREAM"], said("The asset: amounts are in DREAM.", "DREAM")]
Usd = Annotated[Literal["USD"], said("The asset: amounts are in USD.", "USD")]
Kind = Annotated[str, said("What the entry is: its kind in the books.", "spend")]

# --- Text
Game = Annotated[fields.ShortText, said("The game that the user won in.", "maze")]
Reference = Annotated[
    fields.ShortText, said("Your own name for it: a round, an order, a payment.", "round-1")
]
NullableReference = Annotated[
    str | None, said("Your own name for it, null where there is none.", "round-1")
]
Description = Annotated[fields.LongText | None, said("What it is for, in words.", "A red hat")]
Reason = Annotated[fields.LongText | None, said("Why, in words.", "Bought by mistake")]
Provider = Annotated[
    fields.ShortText | None,
    said("Who was paid: a payment counts once a provider. Null is `default`.", "stripe"),
]
ExternalId = Annotated[
    fields.ShortText, said("The user's id in your own system, unique.", "player-1")
]
DisplayName = Annotated[fields.ShortText, said("The name that is shown.", "Ida")]

# --- Amounts
WonAmount = Annotated[
    fields.Amount, said("What was won, in DREAM: above zero, up to 18 decimals.", "1.25")
]
CreditAmount = Annotated[
    fields.Amount,
    said("How much, in the asset: above zero, with no more decimals than its scale.", "5"),
]
CapturedAmount = Annotated[
    fields.Amount | None,
    said("How much of what is held, in the asset; all of it where none is given.", "5"),
]
DreamAmount = Annotated[str, said("How much, in DREAM.", "1.25", pattern=AMOUNT)]
UsdAmount = Annotated[str, said("How much, in USD.", "0.1875", pattern=AMOUNT)]
AssetAmount = Annotated[str, said("How much, in the asset.", "5", pattern=AMOUNT)]
SignedAmount = Annotated[
    str, said("How much the balance changed, in the asset; signed.", "-5", pattern=SIGNED)
]
Balance = Annotated[str, said("All that the user owns, in the asset.", "100", pattern=AMOUNT)]
Held = Annotated[str, said("What holds have set aside of it, in the asset.", "5", pattern=AMOUNT)]
Available = Annotated[str, said("What may be spent, in the asset.", "95", pattern=AMOUNT)]
Won = Annotated[str, said("What was won on that day, in DREAM.", "1.25", pattern=AMOUNT)]
Limit = Annotated[str, said("What may be won on one day, in DREAM.", "5", pattern=AMOUNT)]
Remaining = Annotated[str, said("What the day has left, in DREAM.", "3.75", pattern=AMOUNT)]

# --- Times
SentAt = Annotated[
    fields.Moment,
    said("When it happened. RFC 3339 with any offset.", "2026-11-21T14:29:59+01:00"),
]
ExpiresAt = Annotated[
    fields.Moment | None,
    said("When the hold ends by itself, at most 31 days ahead.", "2026-11-28T13:30:00Z"),
]
Hour = Annotated[fields.Moment, said("The start of a UTC hour. RFC 3339.", "2026-11-21T13:00:00Z")]
OccurredAt = Annotated[str, _time("When it happened in the game", "2026-11-21T13:29:59Z")]
BookedAt = Annotated[str, _time("When the ledger took it", "2026-11-21T13:30:00.107003Z")]
CreatedAt = Annotated[str, _time("When it was made", "2026-11-20T09:00:00.066765Z")]
AsOf = Annotated[str, _time("The ledger clock, as this was read", "2026-11-21T13:31:00.202892Z")]
HourStart = Annotated[str, _time("The start of the UTC hour", "2026-11-21T13:00:00Z")]
Day = Annotated[
    str, said("A day of the user's own time zone.", "2026-11-21", format="date", pattern=DAY)
]
ZoneName = Annotated[
    str,
    Field(min_length=1, max_length=64),
    said("The time zone: a name of the IANA database.", "Europe/Berlin"),
]
Cursor = Annotated[
    str | None,
    said("Send it as `cursor` for the next page; null on the last one.", None),
]
