"""Wallets: what a user holds of each asset, now and before, and how it came about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from portal import ledger
from portal.ledger.errors import NotFound
from portal.ledger.reports import StatementLine, UsdDay
from portal.runtime import runtime
from portal.services import wins

FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet held at a time."""

    asset: ledger.AssetInfo
    units: int
    at: datetime


@dataclass(frozen=True, slots=True)
class UsdHistory:
    """USD earned by local day, newest first; `total` covers the whole range asked for."""

    days: list[UsdDay]
    total: int


def assets() -> list[ledger.AssetInfo]:
    """Every asset, tokens and currencies first."""
    with runtime().engine.connect() as connection:
        return list(ledger.assets(connection).values())


def all_of(user_id: int) -> list[Balance]:
    """A balance for every asset. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        now = _now_for(connection, user_id)
        held = ledger.balances(connection, user_id)
        return [Balance(a, held.get(a.code, 0), now) for a in ledger.assets(connection).values()]


def one(user_id: int, code: str, at: datetime | None) -> Balance:
    """One balance, now or as of a booked time. Raises NotFound('unknown_user', 'unknown_asset')."""
    with runtime().engine.connect() as connection:
        now = _now_for(connection, user_id)
        asset = _asset(connection, code)
        return Balance(asset, ledger.balance(connection, user_id, asset, at), at or now)


def statement(
    user_id: int, code: str, before: tuple[datetime, int] | None, limit: int
) -> tuple[ledger.AssetInfo, list[StatementLine]]:
    """A wallet's transactions, newest first. Raises NotFound('unknown_user', 'unknown_asset')."""
    with runtime().engine.connect() as connection:
        _now_for(connection, user_id)
        asset = _asset(connection, code)
        return asset, ledger.statement(connection, user_id, asset, before, limit)


def stats(user_id: int) -> tuple[wins.Today, Balance]:
    """The user's day so far and the USD balance, of one moment. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        today = wins.day_of(connection, user_id)
        usd = _asset(connection, "USD")
        return today, Balance(usd, ledger.balance(connection, user_id, usd), today.as_of)


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


def _asset(connection: Connection, code: str) -> ledger.AssetInfo:
    asset = ledger.assets(connection).get(code)
    if asset is None:
        raise NotFound("unknown_asset", f"there is no asset {code}")
    return asset
