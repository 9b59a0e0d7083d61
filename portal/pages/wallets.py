"""Wallets: what there is of each asset, what holds have set aside, and how it came about."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Response, abort, request

from portal import ledger
from portal.ledger.errors import NotFound
from portal.ledger.idempotency import EPOCH, microseconds
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
Place = tuple[datetime, int]


@blueprint.get("/wallets")
def wallets() -> Response:
    """Every wallet there is."""
    return views.page("wallets.html", holdings=purse.holdings(lists.user_id()))


@blueprint.get("/wallets/<asset>")
def wallet(asset: str) -> Response:
    """One wallet with its history, newest first, and its open holds."""
    known, before = _asset(asset), _before()
    with runtime().reading():
        found = purse.page(lists.user_id(), known, before, lists.PAGE + 1)
    page = lists.cut(found.lines)
    return views.page(
        "wallet.html",
        "_wallet.html",
        asset=known,
        found=found,
        page=page,
        older=_place(page.rows[-1]) if page.has_more else None,
        before=before,
    )


@blueprint.get("/wallets/<asset>.csv")
def wallet_csv(asset: str) -> Response:
    """Its whole history."""
    known = _asset(asset)
    rows = _rows(lists.user_id(), known)
    return exports.answer(f"wallet-{known.code}", COLUMNS, rows)


def _rows(user_id: int, asset: ledger.AssetInfo) -> Iterator[exports.Cells]:
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


def _asset(code: str) -> ledger.AssetInfo:
    try:
        return assets.get(code)
    except NotFound:
        abort(404)


def _place(line: StatementLine) -> str:
    """Where a page ends, as an address says it: microseconds and number."""
    return f"{microseconds(line.booked_at)}-{line.seq}"


def _before() -> Place | None:
    """Where the page begins. Not one of ours: there is no such page."""
    found = request.args.get("before")
    if found is None:
        return None
    at, _, seq = found.partition("-")
    try:
        return EPOCH + timedelta(microseconds=lists.number(at)), lists.number(seq)
    except OverflowError:
        abort(404)
