"""The tables of a user's books as files for staff, all rows of each."""

from collections.abc import Iterator

from flask import Response, abort

from portal import ledger
from portal.pages import entries as listed
from portal.pages import exports, lists, wallets
from portal.pages.blueprint import blueprint
from portal.pages.staff.user_books import person_of
from portal.runtime import runtime
from portal.services import activity, user_books, users, written
from portal.services import wallets as purse

DAYS = ("user_id", "day", "dream_won", "dream_converted", "usd")
WALLETS = ("user_id", "asset", "balance", "held", "available")
HOLDS = ("entry_id", "asset", "amount", "booked_at", "expires_at", "reference")
POSTINGS = (
    *("entry_id", "line", "ledger", "asset", "debit_account", "credit_account", "amount"),
    *("debit_balance", "credit_balance", "wallet_balance", "provider"),
)


@blueprint.get("/users/<user_id>/entries.<any(csv,xlsx):form>")
def user_entries_file(user_id: str, form: str) -> Response:
    """Every entry, a row for each wallet that it changed."""
    owner = person_of(user_id).id
    return _sheet(
        form, "entries", listed.COLUMNS, listed.rows_of(owner, listed.all_of(owner)), owner
    )


@blueprint.get("/users/<user_id>/days.<any(csv,xlsx):form>")
def user_days_file(user_id: str, form: str) -> Response:
    """Every day on which tokens or USD moved."""
    owner = person_of(user_id).id
    return _sheet(form, "days", DAYS, _days(owner), owner)


@blueprint.get("/users/<user_id>/days/<day>/entries.<any(csv,xlsx):form>")
def user_day_file(user_id: str, day: str, form: str) -> Response:
    """The entries of a local day."""
    owner, which = person_of(user_id).id, lists.day(day)

    def read(last: ledger.ListedEntry | None) -> list[ledger.ListedEntry]:
        before = last.seq if last else None
        return user_books.day(owner, which, before, exports.AT_ONCE).entries

    return _sheet(form, f"entries-{which}", listed.COLUMNS, listed.rows_of(owner, read), owner)


@blueprint.get("/users/<user_id>/wallets.<any(csv,xlsx):form>")
def user_wallets_file(user_id: str, form: str) -> Response:
    """What there is of each asset."""
    owner = person_of(user_id).id
    return _sheet(form, "wallets", WALLETS, _wallets(owner), owner)


@blueprint.get("/users/<user_id>/wallets/<asset>.<any(csv,xlsx):form>")
def user_wallet_file(user_id: str, asset: str, form: str) -> Response:
    """A wallet's whole history."""
    known, owner = wallets.asset_of(asset), person_of(user_id).id
    rows = wallets.all_lines(owner, known)
    return _sheet(form, f"wallet-{known.code}", wallets.COLUMNS, rows, owner)


@blueprint.get("/users/<user_id>/holds.<any(csv,xlsx):form>")
def user_holds_file(user_id: str, form: str) -> Response:
    """Every open hold."""
    owner = person_of(user_id).id
    return _sheet(form, "holds", HOLDS, _holds(owner), owner)


@blueprint.get("/entries/<entry_id>/postings.<any(csv,xlsx):form>")
def entry_file(entry_id: str, form: str) -> Response:
    """The postings of an entry."""
    named = users.any_entry_id(entry_id)
    if named is None:
        abort(404)
    with runtime().reading():
        lines = activity.event(*named, fees=True).entry.lines
        rows = (_posting(entry_id, number, line) for number, line in enumerate(lines, 1))
        title = f"postings of entry {entry_id}"
        return exports.table(form, f"entry-{entry_id}", POSTINGS, rows, title)


def _sheet(
    form: str, what: str, columns: exports.Cells, rows: Iterator[exports.Cells], owner: int
) -> Response:
    return exports.table(form, f"user-{owner}-{what}", columns, rows, f"{what} of user {owner}")


def _days(owner: int) -> Iterator[exports.Cells]:
    def read(last: ledger.DaySums | None) -> list[ledger.DaySums]:
        return user_books.days(owner, last.day if last else None, exports.AT_ONCE)

    for each in exports.walk(read):
        tokens = map(written.dream, (each.won, each.converted))
        yield (str(owner), written.day(each.day), *tokens, written.usd(each.usd))


def _wallets(owner: int) -> Iterator[exports.Cells]:
    for asset, wallet in purse.holdings(owner):
        figures = (wallet.balance, wallet.held, wallet.available)
        yield (str(owner), asset.code, *(written.decimal(each, asset.scale) for each in figures))


def _holds(owner: int) -> Iterator[exports.Cells]:
    def read(last: ledger.OpenHold | None) -> list[ledger.OpenHold]:
        return user_books.holds(owner, last.seq if last else None, exports.AT_ONCE)

    for hold in exports.walk(read):
        times = map(written.moment, (hold.booked_at, hold.expires_at))
        amount = written.decimal(hold.amount, hold.scale)
        yield (f"{owner}-{hold.seq}", hold.asset, amount, *times, exports.cell(hold.reference))


def _posting(entry_id: str, number: int, line: ledger.Line) -> exports.Cells:
    figures = (line.amount, line.debit_balance, line.credit_balance, line.wallet_balance)
    return (
        *(entry_id, number, line.ledger, line.asset, line.debit, line.credit),
        *("" if each is None else written.decimal(each, line.scale) for each in figures),
        exports.cell(line.provider),
    )
