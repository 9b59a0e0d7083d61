"""Today's tokens: every win of the user's local day with what the day has come to."""

from collections.abc import Iterator
from datetime import date

from flask import Response

from portal import ledger
from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import wins, written

COLUMNS = (
    *("entry_id", "day", "occurred_at", "booked_at", "game", "reference", "asset", "amount"),
    *("state", "running_total"),
)


@blueprint.get("/today")
def today() -> Response:
    """The wins of the day, newest first, of one game or of all."""
    game, before = lists.text("game"), lists.before()
    with runtime().reading():
        found = wins.day_page(lists.user_id(), game, before, lists.PAGE + 1)
    return views.page(
        "today.html",
        "_today.html",
        today=found.today,
        hour=found.today.next_conversion - ledger.HOUR,
        games=found.games,
        page=lists.cut(found.wins),
        game=game,
        before=before,
    )


@blueprint.get("/today.csv")
def today_csv() -> Response:
    """All of them."""
    user_id, game = lists.user_id(), lists.text("game")
    day = wins.day_page(user_id, game, None, 1).today.day
    return exports.answer(f"wins-{day}", COLUMNS, _rows(user_id, day, game))


def _rows(user_id: int, day: date, game: str | None) -> Iterator[exports.Cells]:
    def read(last: ledger.DayWin | None) -> list[ledger.DayWin]:
        return wins.wins_of(user_id, day, game, last.seq if last else None, exports.AT_ONCE)

    for win in exports.walk(read):
        yield (
            f"{user_id}-{win.seq}",
            written.day(day),
            written.moment(win.occurred_at),
            written.moment(win.booked_at),
            exports.cell(win.game),
            exports.cell(win.reference),
            written.TOKEN,
            written.dream(win.amount),
            state(win),
            written.dream(win.total),
        )


def state(win: ledger.DayWin) -> str:
    """What became of a win."""
    if win.reversed_seq:
        return "reversed"
    return "converted" if win.converted else "waiting"
