"""Events, as the feed lists them and webhooks carry them."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer
from portal.api.answers.wins import Win

EventId = Annotated[
    str, v.said("The event's id, which is that of its entry.", "1-3", pattern=v.ENTRY_ID)
]


class Conversion(Answer):
    """What became of a user's tokens at the end of an hour."""

    entry_id: v.EntryId
    user_id: v.UserId
    hour: v.HourStart
    tokens: v.DreamAmount
    usd: v.UsdAmount
    rate: Annotated[str, v.said("USD for one DREAM.", "0.15", pattern=v.AMOUNT)]
    booked_at: v.BookedAt


class Change(Answer):
    """What an entry did to a wallet, and what the wallet had right after it."""

    entry_id: v.EntryId
    user_id: v.UserId
    kind: v.Kind
    asset: v.AssetCode
    amount: v.SignedAmount
    held_change: Annotated[
        str, v.said("How much what is held changed; signed.", "0", pattern=v.SIGNED)
    ]
    balance: v.Balance
    held: v.Held
    available: v.Available
    occurred_at: v.OccurredAt
    booked_at: v.BookedAt
    reference: v.NullableReference


class Expiry(Change):
    """The same of a hold whose time was over."""

    hold_id: v.HoldId


class Event(Answer):
    """One entry's event."""

    id: EventId
    timestamp: v.BookedAt


class WinBooked(Event):
    """A win was booked."""

    type: Annotated[Literal["win.booked"], v.said("What happened.", "win.booked")]
    data: Win


class ConversionDone(Event):
    """A user's tokens were converted."""

    type: Annotated[Literal["conversion.done"], v.said("What happened.", "conversion.done")]
    data: Conversion


class HoldExpired(Event):
    """A hold's time was over, and what it held went back."""

    type: Annotated[Literal["hold.expired"], v.said("What happened.", "hold.expired")]
    data: Expiry


class WalletChanged(Event):
    """Any other entry that moves a wallet: of a credit, holds included, or a win's reversal."""

    type: Annotated[Literal["wallet.changed"], v.said("What happened.", "wallet.changed")]
    data: Change


class EventsAnswer(Answer):
    """A page of the feed, oldest first."""

    events: list[WinBooked | ConversionDone | HoldExpired | WalletChanged] = Field(
        description="Oldest first; each user's in the order of the books."
    )
    next_cursor: Annotated[
        str,
        v.said(
            "Keep it, and send it as `after`: also when there was nothing new.",
            "WyIyMDI2LTExLTIxVDEzOjMwOjAwKzAwOjAwIiwxLDNd.c2lnbmVk",
        ),
    ]
    has_more: Annotated[
        bool,
        v.said("Whether to ask again at once. A page may be empty and have more.", example=False),
    ]
