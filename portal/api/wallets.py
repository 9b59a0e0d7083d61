"""Wallets: balances now and before, transactions, USD by day, and the figures of a user."""

import re
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from portal import ledger
from portal.api import etags, requests
from portal.api.answers.wallets import (
    AssetsAnswer,
    LinesAnswer,
    StatsAnswer,
    UsdHistoryAnswer,
    WalletAnswer,
    WalletsAnswer,
)
from portal.api.calls import Page, Query, call
from portal.api.problems import Problem
from portal.ledger import chart
from portal.ledger.wallets import StatementLine
from portal.services import assets, users, versions, wallets
from portal.services.fields import Body, Moment, checked
from portal.services.written import day, decimal, dream, moment

blueprint = Blueprint("wallets", __name__)


class At(Body):
    at: Moment


class AtQuery(Query):
    """Which moment is asked for."""

    at: Moment | None = Field(
        None,
        description="The wallet as it was booked up to then; now where none is given. RFC 3339.",
        examples=["2026-11-21T13:31:00Z"],
    )


class DaysQuery(Page):
    """Which days are asked for."""

    first: date | None = Field(
        None,
        alias="from",
        description="The first local day, `YYYY-MM-DD`.",
        examples=["2026-11-01"],
    )
    last: date | None = Field(
        None, alias="to", description="The last local day, `YYYY-MM-DD`.", examples=["2026-11-20"]
    )


def figures(wallet: ledger.Wallet, asset: ledger.AssetInfo) -> dict[str, str]:
    """What is in a wallet, as every answer about it says it."""
    return {
        "balance": decimal(wallet.balance, asset.scale),
        "held": decimal(wallet.held, asset.scale),
        "available": decimal(wallet.available, asset.scale),
    }


@blueprint.get("/assets")
@requests.scope("read")
@call(answers={200: AssetsAnswer}, codes=("validation_failed",), conditional=True)
@etags.polled(versions.of_assets)
def get_assets() -> Response:
    """List assets."""
    requests.only()
    return jsonify(
        assets=[
            {"code": a.code, "name": a.name, "scale": a.scale, "kind": a.kind}
            for a in assets.every()
        ]
    )


@blueprint.get("/users/<user_id>/wallets")
@requests.scope("read")
@call(answers={200: WalletsAnswer}, codes=("validation_failed",), conditional=True)
@etags.polled(versions.of_books)
def get_wallets(user_id: str) -> Response:
    """Read all wallets of a user.

    What there is of every asset.
    """
    requests.only()
    return jsonify(
        wallets=[
            {"asset": held.asset.code, **figures(held.wallet, held.asset)}
            for held in wallets.all_of(users.parse_id(user_id))
        ]
    )


@blueprint.get("/users/<user_id>/wallets/<asset>")
@requests.scope("read")
@call(query=AtQuery, answers={200: WalletAnswer}, conditional=True)
@etags.polled(versions.of_books)
def get_wallet(user_id: str, asset: str) -> Response:
    """Read a wallet.

    What a user has of one asset, now or at a time.
    """
    requests.only("at")
    asked = request.args.get("at")
    at = checked(At, {"at": asked}).at if asked is not None else None
    held = wallets.one(users.parse_id(user_id), asset, at)
    return jsonify(asset=held.asset.code, at=moment(held.at), **figures(held.wallet, held.asset))


@blueprint.get("/users/<user_id>/wallets/<asset>/transactions")
@requests.scope("read")
@call(query=Page, answers={200: LinesAnswer}, conditional=True)
@etags.polled(versions.of_books)
def get_transactions(user_id: str, asset: str) -> Response:
    """List a wallet's transactions.

    Newest first. `amount` is what the balance changed by, `held_change` what is held.
    """
    requests.only("cursor", "limit")
    owner_id = users.parse_id(user_id)
    limit = requests.limit()
    name = f"transactions:{owner_id}:{asset}"
    before = requests.cursor(name)
    position = (datetime.fromisoformat(before[0]), before[1]) if before else None
    info, lines = wallets.statement(owner_id, asset, position, limit + 1)
    more = None
    if len(lines) > limit:
        last = lines[limit - 1]
        more = requests.next_cursor(name, [last.booked_at.isoformat(), last.seq])
    return jsonify(
        transactions=[_transaction(owner_id, line, info.scale) for line in lines[:limit]],
        next_cursor=more,
    )


def _transaction(owner_id: int, line: StatementLine, scale: int) -> dict[str, Any]:
    return {
        "entry_id": f"{owner_id}-{line.seq}",
        "kind": line.kind,
        "amount": decimal(line.amount, scale),
        "held_change": decimal(line.held_change, scale),
        "balance_after": decimal(line.balance_after, scale),
        "occurred_at": moment(line.occurred_at),
        "booked_at": moment(line.booked_at),
        "reference": line.reference,
    }


@blueprint.get("/users/<user_id>/usd/history")
@requests.scope("read")
@call(query=DaysQuery, answers={200: UsdHistoryAnswer}, conditional=True)
@etags.polled(versions.of_books)
def get_usd_history(user_id: str) -> Response:
    """List USD by day.

    By local day, up to the user's yesterday, newest first. The USD of an hour belongs to the local day of the hour's last microsecond.
    """
    requests.only("from", "to", "cursor", "limit")
    owner_id = users.parse_id(user_id)
    first, last, limit = _date("from"), _date("to"), requests.limit()
    if first and last and first > last:
        raise Problem("validation_failed", "from lies after to", param="from")
    name = f"usd:{owner_id}"
    before = requests.cursor(name)
    upto = date.fromisoformat(before) if before else None
    history = wallets.usd_history(owner_id, first, last, upto, limit + 1)
    more = None
    if len(history.days) > limit:
        more = requests.next_cursor(name, history.days[limit - 1].day.isoformat())
    return jsonify(
        asset="USD",
        days=[
            {
                "day": day(each.day),
                "tokens": dream(each.tokens),
                "amount": decimal(each.amount, chart.USD_SCALE),
                "conversions": each.conversions,
            }
            for each in history.days[:limit]
        ],
        total=decimal(history.total, chart.USD_SCALE),
        next_cursor=more,
    )


def _date(name: str) -> date | None:
    value = request.args.get(name)
    if value is None:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        raise Problem(
            "validation_failed", f"{name} must be a date: YYYY-MM-DD", param=name
        ) from None


@blueprint.get("/users/<user_id>/stats")
@requests.scope("read")
@call(answers={200: StatsAnswer}, codes=("validation_failed",), conditional=True)
@etags.polled(versions.of_books)
def get_stats(user_id: str) -> Response:
    """Read a user's figures.

    What a game shows: today's tokens, what remains, the USD balance.
    """
    requests.only()
    today, usd = wallets.stats(users.parse_id(user_id))
    return jsonify(
        as_of=moment(today.as_of),
        day=day(today.day),
        time_zone=today.time_zone,
        tokens_today=dream(today.won),
        limit=dream(today.limit),
        remaining=dream(today.remaining),
        usd_balance=decimal(usd.wallet.balance, usd.asset.scale),
    )
