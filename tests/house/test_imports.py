"""Imports go down only: pages, api, jobs and command line, then services, then the ledger."""

import ast
from pathlib import Path

import pytest

from tests.house.source import CLIENT, files, imports, is_below, module, tree

COMMANDS = (
    *("portal.cli", "portal.cli_audit", "portal.cli_clients", "portal.cli_operator"),
    "portal.cli_people",
)
UPPER = ("portal.pages", "portal.api", *COMMANDS, "jobs")
ENTRANCES = ("portal.create_app", "wsgi", "local", "deploy", "bench", "gallery", "tests")
FORBIDDEN = {
    "portal.ledger": (
        *("flask", "werkzeug", "requests", "redis", "rq", "rq_scheduler", "pydantic"),
        *("portal.services", "portal.runtime", "portal.boot", *UPPER, *ENTRANCES),
    ),
    "portal.services": ("flask", "werkzeug", "redis", "rq", "rq_scheduler", *UPPER, *ENTRANCES),
    "portal.api": ("portal.pages", "portal.cli", "jobs", "portal.boot", *ENTRANCES),
    "portal.pages": ("portal.api", "portal.cli", "jobs", "portal.boot", *ENTRANCES),
    **dict.fromkeys(COMMANDS, ("portal.api", "portal.pages", "jobs", *ENTRANCES)),
    "jobs": (
        *("portal.api", "portal.pages", *COMMANDS),
        *("wsgi", "local", "deploy", "bench", "tests"),
    ),
    "portal.runtime": ("portal.services", *UPPER, *ENTRANCES),
    "portal.counts": (
        *("flask", "portal.services", "portal.ledger", "portal.runtime", *UPPER, *ENTRANCES),
    ),
    "portal.database": ("portal.services", "portal.ledger", "portal.runtime", *UPPER, *ENTRANCES),
    "config": ("portal", "jobs", "flask", "local", "deploy"),
    "local": ("portal", "jobs", "deploy", "tests", "bench", "gallery"),
    "deploy": ("portal", "wsgi", "local", "tests", "bench", "gallery"),
    "clients": ("portal", "jobs", "config", "wsgi", "local", "deploy", "bench", "tests"),
}
"""By layer, what it must not know."""

WRITING = {
    *("Poster", "post_batch", "convert", "store_rate", "close_hour", "set_clock", "fix_clock"),
    *("claim_payment", "close_period", "add_asset", "post_within"),
}
"""Verbs of the ledger that change the books or their clock."""
CALLERS = {
    "portal.services": "business events",
    "portal.ledger": "itself",
    "portal.runtime": "makes the one Poster of a process; calls nothing of it",
    "portal.boot": "fixes production's clock, so that nobody can move it",
}

SOURCE = files("config.py", "wsgi.py", "portal", "jobs", "local", "deploy", CLIENT)


def layer(path: Path) -> str | None:
    """The most special layer that a file is of."""
    return max((name for name in FORBIDDEN if is_below(module(path), name)), key=len, default=None)


@pytest.mark.parametrize("path", SOURCE, ids=str)
def test_a_layer_knows_nothing_of_those_above(path: Path) -> None:
    forbidden = FORBIDDEN.get(layer(path) or "", ())
    wrong = {name for name in imports(path) if any(is_below(name, other) for other in forbidden)}
    assert not wrong


def test_every_layer_has_files() -> None:
    layers = {layer(path) for path in SOURCE}
    assert set(FORBIDDEN) <= layers


def names_used(path: Path) -> set[str]:
    """Every name and attribute that a file mentions, and every name it imports."""
    used = {name.rpartition(".")[2] for name in imports(path) if is_below(name, "portal.ledger")}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used |= {node.attr} if node.value.id in ("ledger", "posting", "clock") else set()
        if isinstance(node, ast.Attribute) and node.attr == "poster":
            used.add("Poster")
    return used


@pytest.mark.parametrize("path", SOURCE, ids=str)
def test_only_services_call_the_writing_verbs_of_the_ledger(path: Path) -> None:
    if any(is_below(module(path), caller) for caller in CALLERS):
        return
    used = names_used(path) & WRITING
    if module(path) == "portal.api.health":
        used.discard("Poster")  # asks whether it lives
    assert not used


def test_the_writing_verbs_are_all_of_the_facade() -> None:
    """A new function of ledger/__init__.py is a read, or belongs on the list above."""
    reading = {
        *(
            "HOUR",
            "MAX_BATCH",
            "UNBOUNDED",
            "AssetInfo",
            "Booked",
            "Converted",
            "DueHold",
            "Entry",
            "Hold",
        ),
        *("InternalError", "InvalidAmount", "LedgerError", "NotFound", "Outcome", "Refused"),
        *("TrialBalance", "Unavailable", "Wallet", "Window", "assets", "booked", "due_holds"),
        *("first_booked_hour", "hold", "holders", "holds", "last_closed_hour", "local_day", "now"),
        *("rate_of", "shift", "statement", "trial_balance", "usd_days", "usd_total", "wallet"),
        *("wallets", "wins_of_day", "won_on", "autocommit"),
        *("DayGame", "DayHour", "DaySums", "DayWin", "Effect", "EntryInFull", "Line"),
        *("ListedEntry", "MonthSums", "Movement", "Today", "DayOf", "day_games", "day_hours"),
        *("day_sums", "day_wins", "entries", "entry", "holdings", "month_sums", "movements"),
        *("open_holds", "today", "JournalEntry", "journal"),
        *("AccountLine", "Moved", "MovedHour", "UserMoved", "account_days", "account_hours"),
        *("account_lines", "account_users", "DayFlow", "FeeSum", "Owed", "daily_flows", "owed"),
        *("fee_sums", "Side", "Span", "open_periods"),
        *("Bounds", "bounds", "PostingRow", "Range", "copy_postings", "posting_rows"),
        *("trial_balance_at", "count_postings", "ledgers"),
        *("OpenHold", "all_open_holds", "entries_of_day", "newest_days"),
        *("FoundEntry", "FoundPayment", "Names", "find_entries", "find_payments"),
        *("Feed", "count_after", "entries_of_owner", "feed_entry", "lines_of"),
    }
    from portal import ledger  # noqa: PLC0415 - what is on this page is what is tested

    assert set(ledger.__all__) - reading == WRITING


def test_a_job_calls_services_and_nothing_deeper() -> None:
    for path in files("jobs"):
        assert not {name for name in imports(path) if is_below(name, "portal.ledger")}, path
