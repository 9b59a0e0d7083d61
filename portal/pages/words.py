"""The books in plain words: what a kind of entry is called, what an asset is counted in."""

from datetime import datetime

from flask import Flask, g, url_for

from portal import ledger
from portal.services import assets

KINDS = {
    "win": ("Won", "sparkles"),
    "conversion": ("Converted to USD", "arrow-right-left"),
    "top_up": ("Topped up", "plus"),
    "bonus": ("Bonus", "gift"),
    "spend": ("Spent", "shopping-bag"),
    "hold": ("Set aside", "lock"),
    "capture": ("Spent from what was set aside", "shopping-bag"),
    "release": ("Given back from what was set aside", "rotate-ccw"),
    "expiry": ("Expired", "hourglass"),
    "fee_settlement": ("Fees settled", "repeat"),
    "reversal": ("Taken back", "rotate-ccw"),
}
"""What an entry is called on a page, and its icon."""
ASSETS = {"DREAM": "moon-star", "USD": "circle-dollar-sign", "DIAMOND": "gem"}
LOYALTY, COINS = "award", "coins"


def title(entry: ledger.ListedEntry) -> str:
    """What happened, in a few words."""
    name = KINDS[entry.kind][0]
    if entry.kind == "win" and entry.game:
        return f"{name} in {entry.game}"
    if entry.reverses_kind:
        return f"{name}: {KINDS[entry.reverses_kind][0].lower()}"
    return name


def kind_name(kind: str) -> str:
    """What a kind is called."""
    return KINDS[kind][0]


def sign(kind: str) -> str:
    """The icon of a kind."""
    return KINDS[kind][1]


def asset_sign(code: str) -> str:
    """The icon of an asset."""
    return ASSETS.get(code, LOYALTY if "POINT" in code else COINS)


def unit(code: str) -> str:
    """What amounts of an asset are counted in: DREAM, USD, Gold Coins."""
    asset = assets.get(code)
    return asset.name if asset.kind == "credit" else asset.code


def left(until: datetime, now: datetime) -> str:
    """How long it is until then."""
    minutes = int((until - now).total_seconds()) // 60
    return f"{minutes} min" if minutes else "less than a minute"


def entry_address(user_id: int, seq: int) -> str:
    """Where one entry is. A list asks for fifty: the part that they share is made once a request."""
    if "entries_begin" not in g:
        g.entries_begin = url_for("pages.entry", entry_id="-").removesuffix("-")
    return f"{g.entries_begin}{user_id}-{seq}"


def register(app: Flask) -> None:
    """Give templates these words."""
    for each in (title, kind_name, sign, asset_sign, unit, left, entry_address):
        app.jinja_env.globals[each.__name__] = each
