"""What the calls of assets, wallets, credits and holds answer."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer


class Asset(Answer):
    """A unit of value."""

    code: v.AssetCode
    name: Annotated[str, v.said("Its name.", "Gold Coins")]
    scale: Annotated[int, v.said("How many decimals its amounts have at most.", 0)]
    kind: Annotated[
        Literal["token", "currency", "credit"],
        v.said("Tokens are won, currency is converted to, credits are bought and spent.", "credit"),
    ]


class AssetsAnswer(Answer):
    """Every asset."""

    assets: list[Asset] = Field(description="Tokens and currencies first.")


class Figures(Answer):
    """What is in a wallet."""

    balance: v.Balance
    held: v.Held
    available: v.Available


class ListedWallet(Figures):
    """What a user has of one asset."""

    asset: v.AssetCode


class WalletsAnswer(Answer):
    """What a user has of every asset."""

    wallets: list[ListedWallet] = Field(description="One for each asset.")


class WalletAnswer(ListedWallet):
    """What a user has of one asset, at one time."""

    at: Annotated[str, v.said("When that was. RFC 3339.", "2026-11-21T13:31:00Z")] = Field(
        json_schema_extra={"format": "date-time"}
    )


class Line(Answer):
    """What an entry did to a wallet."""

    entry_id: v.EntryId
    kind: v.Kind
    amount: v.SignedAmount
    held_change: Annotated[
        str, v.said("How much what is held changed; signed.", "0", pattern=v.SIGNED)
    ]
    balance_after: v.Balance
    occurred_at: v.OccurredAt
    booked_at: v.BookedAt
    reference: v.NullableReference


class LinesAnswer(Answer):
    """What moved a wallet, newest first."""

    transactions: list[Line] = Field(description="Newest first.")
    next_cursor: v.Cursor


class UsdDay(Answer):
    """What was converted of one local day."""

    day: v.Day
    tokens: v.DreamAmount
    amount: v.UsdAmount
    conversions: Annotated[int, v.said("In how many hours.", 1)]


class UsdHistoryAnswer(Answer):
    """USD by local day, newest first."""

    asset: v.Usd
    days: list[UsdDay] = Field(description="Days on which something was converted.")
    total: Annotated[str, v.said("Of the whole range, in USD.", "0.1875", pattern=v.AMOUNT)]
    next_cursor: v.Cursor


class StatsAnswer(Answer):
    """The figures that a game shows."""

    as_of: v.AsOf
    day: v.Day
    time_zone: Annotated[str, v.said("The zone whose day it is.", "Europe/Berlin")]
    tokens_today: v.Won
    limit: v.Limit
    remaining: v.Remaining
    usd_balance: v.UsdAmount


class Transaction(Answer):
    """What was booked: the same at each replay."""

    entry_id: v.EntryId
    kind: v.Kind
    asset: v.AssetCode
    amount: v.AssetAmount
    booked_at: v.BookedAt
    reference: v.NullableReference


class MovedAnswer(Figures):
    """What was booked, and the wallet as it is now."""

    transaction: Transaction


class Hold(Answer):
    """Credits that are set aside, or were."""

    hold_id: v.HoldId
    asset: v.AssetCode
    state: Annotated[
        Literal["open", "captured", "released", "expired"], v.said("What became of it.", "open")
    ]
    amount: v.AssetAmount
    captured: Annotated[
        str | None, v.said("What was spent of it; null until it ends.", None, pattern=v.AMOUNT)
    ]
    booked_at: v.BookedAt
    expires_at: Annotated[
        str, v.said("When it ends by itself.", "2026-11-28T13:30:00Z", format="date-time")
    ]
    ended_at: Annotated[
        str | None, v.said("When it ended; null while open.", None, format="date-time")
    ]
    ended_by: Annotated[
        str | None, v.said("The entry that ended it; null while open.", None, pattern=v.ENTRY_ID)
    ]
    reference: v.NullableReference
    description: Annotated[str | None, v.said("What it is for; null if none.", "A red hat")]


class HeldAnswer(MovedAnswer):
    """What was booked, the wallet and the hold as they are now."""

    hold: Hold


class HoldAnswer(Answer):
    """One hold."""

    hold: Hold


class HoldsAnswer(Answer):
    """A wallet's holds, newest first."""

    holds: list[Hold] = Field(description="Newest first, open and ended.")
    next_cursor: v.Cursor
