"""Wallets: what there is of each asset, what holds have set aside, and how it came about."""

from collections.abc import Iterator
from typing import Any

from flask import Response, abort, url_for

from portal import ledger
from portal.ledger.errors import NotFound
from portal.ledger.wallets import StatementLine
from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import assets, written
from portal.services import wallets as purse

COLUMNS = (
    *("entry_id", "kind", "occurred_at", "booked_at", "reference", "asset", "amount"),
    *("held_change", "balance_after"),
)


@blueprint.get("/wallets")
def wallets() -> Response:
    """Every wallet there is."""
    return views.page("wallets.html", holdings=purse.holdings(lists.user_id()))


@blueprint.get("/wallets/<asset>")
def wallet(asset: str) -> Response:
    """One wallet with its history, newest first, and its open holds."""
    known = asset_of(asset)
    here = url_for("pages.wallet", asset=known.code)
    shown = history(lists.user_id(), known, here)
    return views.page("wallet.html", "_wallet.html", **shown)


@blueprint.get("/wallets/<asset>.csv")
def wallet_csv(asset: str) -> Response:
    """Its whole history."""
    known = asset_of(asset)
    rows = all_lines(lists.user_id(), known)
    return exports.answer(f"wallet-{known.code}", COLUMNS, rows)


def history(user_id: int, asset: ledger.AssetInfo, here: str) -> dict[str, Any]:
    """A page of a wallet of somebody's, as templates take it; `here` is its address."""
    before = lists.before_place()
    with runtime().reading():
        found = purse.page(user_id, asset, before, lists.PAGE + 1)
    page = lists.cut(found.lines)
    last = page.rows[-1] if page.has_more else None
    return {
        "owner": user_id,
        "asset": asset,
        "found": found,
        "page": page,
        "before": before,
        "here": here,
        "older": f"{here}?before={lists.place(last.booked_at, last.seq)}" if last else None,
    }


def all_lines(user_id: int, asset: ledger.AssetInfo) -> Iterator[exports.Cells]:
    """Everything that happened to a wallet, newest first, as a file has it."""

    def read(last: StatementLine | None) -> list[StatementLine]:
        place = (last.booked_at, last.seq) if last else None
        return purse.statement(user_id, asset.code, place, exports.AT_ONCE)[1]

    for line in exports.walk(read):
        figures = (line.amount, line.held_change, line.balance_after)
        yield (
            f"{user_id}-{line.seq}",
            line.kind,
            written.moment(line.occurred_at),
            written.moment(line.booked_at),
            exports.cell(line.reference),
            asset.code,
            *(written.decimal(figure, asset.scale) for figure in figures),
        )


def asset_of(code: str) -> ledger.AssetInfo:
    """The asset of an address; else there is nothing at it."""
    try:
        return assets.get(code)
    except NotFound:
        abort(404)
