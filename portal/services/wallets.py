"""Wallets: what a user holds of each asset, now and before, and how it came about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from portal import ledger
from portal.ledger.reports import UsdDay
from portal.ledger.wallets import StatementLine
from portal.runtime import runtime
from portal.services import assets

FIRST_DAY = date(2000, 1, 1)
OPEN_HOLDS = 100
"""At most listed beside a wallet."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a user's wallet held at a time, in base units of the asset."""

    asset: ledger.AssetInfo
    wallet: ledger.Wallet
    at: datetime


@dataclass(frozen=True, slots=True)
class UsdHistory:
    """USD earned by local day, newest first; `total` covers the whole range asked for."""

    days: list[UsdDay]
    total: int


@dataclass(frozen=True, slots=True)
class WalletPage:
    """A wallet with some of its history, newest first, and the holds that are open."""

    wallet: ledger.Wallet
    lines: list[StatementLine]
    holds: list[ledger.Hold]


def holdings(user_id: int) -> list[tuple[ledger.AssetInfo, ledger.Wallet]]:
    """What a user has of every asset."""
    with runtime().snapshot() as connection:
        return ledger.holdings(connection, user_id)


def page(
    user_id: int, asset: ledger.AssetInfo, before: tuple[datetime, int] | None, limit: int
) -> WalletPage:
    """A wallet as a page shows it, of one moment."""
    with runtime().snapshot() as connection:
        held = ledger.wallet(connection, user_id, asset)
        lines = ledger.statement(connection, user_id, asset, before, limit)
        holds = ledger.open_holds(connection, user_id, asset, OPEN_HOLDS) if held.held else []
        return WalletPage(held, lines, holds)


def all_of(user_id: int) -> list[Balance]:
    """The wallet of every asset. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        now = _now_for(connection, user_id)
        known = ledger.assets(connection)
        held = ledger.wallets(connection, user_id, known.values())
        return [Balance(known[code], wallet, now) for code, wallet in held.items()]


def one(user_id: int, code: str, at: datetime | None) -> Balance:
    """One wallet, now or as of a booked time. Raises NotFound('unknown_user', 'unknown_asset')."""
    with runtime().snapshot() as connection:
        now = _now_for(connection, user_id)
        asset = assets.get(code)
        return Balance(asset, ledger.wallet(connection, user_id, asset, at), at or now)


def statement(
    user_id: int, code: str, before: tuple[datetime, int] | None, limit: int
) -> tuple[ledger.AssetInfo, list[StatementLine]]:
    """A wallet's transactions, newest first. Raises NotFound('unknown_user', 'unknown_asset')."""
    with runtime().snapshot() as connection:
        _now_for(connection, user_id)
        asset = assets.get(code)
        return asset, ledger.statement(connection, user_id, asset, before, limit)


def stats(user_id: int) -> tuple[ledger.Today, Balance]:
    """The user's day so far and the USD balance, of one moment. Raises NotFound('unknown_user')."""
    usd = assets.get("USD")
    with runtime().snapshot() as connection:
        today = ledger.today(connection, user_id)
        return today, Balance(usd, ledger.wallet(connection, user_id, usd), today.as_of)


def usd_history(
    user_id: int, first: date | None, last: date | None, before: date | None, limit: int
) -> UsdHistory:
    """USD by local day, up to the user's yesterday. `before` is where the last page ended."""
    with runtime().snapshot() as connection:
        now = ledger.now(connection)
        today, _ = ledger.local_day(connection, user_id, now)
        yesterday = today - timedelta(days=1)
        first = first or FIRST_DAY
        last = min(last, yesterday) if last else yesterday
        total = ledger.usd_total(connection, user_id, first, last)
        upto = min(last, before - timedelta(days=1)) if before else last
        return UsdHistory(list(ledger.usd_days(connection, user_id, first, upto, limit)), total)


def _now_for(connection: Connection, user_id: int) -> datetime:
    now = ledger.now(connection)
    ledger.local_day(connection, user_id, now)
    return now
