"""Fees: what issuing and converting cost, by what, what is owed to whom, and the rules with their times.

Days are accounting dates, UTC; what was taken back is taken off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, abort, request
from sqlalchemy import Connection

from portal import ledger
from portal.ledger import Span
from portal.ledger.fees import By
from portal.ledger.spans import DAY
from portal.pages import charts, exports, formats, lists, views, words
from portal.pages.blueprint import blueprint
from portal.pages.forms.fees import FeesForm
from portal.runtime import runtime
from portal.services import fees as rules_of
from portal.services import users, written
from portal.services.fees import FeeRule

BY: dict[By, str] = {
    "kind": "Kind",
    "provider": "Provider",
    "day": "Day",
    "game": "Game",
    "region": "Region",
}
UNNAMED = {"provider": "No provider named", "game": "No game named"}
SUMS = ("issuance", "conversion", "total", "settled", "entries")
OWED = ("provider", "incurred", "settled", "owed")
RULES = ("kind", "from", "until", "provider", "fixed_usd", "basis_points", "state")


@dataclass(frozen=True, slots=True)
class Asked:
    """Fees by what, of which days."""

    by: By
    first: date
    last: date

    @property
    def span(self) -> Span:
        """The same of the books."""
        return Span.accounting(self.first, self.last)

    @property
    def days(self) -> dict[str, Any]:
        """What an address says of them."""
        return {"first": written.day(self.first), "last": written.day(self.last)}

    @property
    def query(self) -> dict[str, Any]:
        """The same, and by what."""
        return {"by": self.by, **self.days}

    @property
    def accounts(self) -> dict[str, Any]:
        """What an address of an account says that shows the same days."""
        since, until = written.day(self.first), written.day(self.last)
        return {"ledger": "FEES", "clock": "accounting", "since": since, "until": until}


@dataclass(frozen=True, slots=True)
class DatedRule:
    """A rule with the time until which it holds, if another follows, and what it is now."""

    rule: FeeRule
    until: datetime | None
    state: str


@blueprint.get("/fees")
def fees() -> Response:
    """The sums of some days, of the running month where none are named; below them what is owed."""
    with runtime().reading() as connection:
        form, asked = asked_by_address(connection)
        if asked is None:
            return views.form_page("staff/fees.html", form, "staff/_fees.html", by_words=BY)
        form.first.data, form.last.data = asked.first, asked.last
        sums = _sums(connection, asked)
        owed = ledger.owed(connection, asked.span)
        payable = _payable(connection, asked.last)
        rules = dated(rules_of.rules(), form.bounds.now)
    after = request.args.get("after")
    by_day = {date.fromisoformat(each.name): each.total for each in sums if asked.by == "day"}
    return views.form_page(
        "staff/fees.html",
        form,
        "staff/_fees.html",
        asked=asked,
        by_words=BY,
        name_of=_name_of(asked.by),
        total=_total(sums),
        page=lists.cut(_behind(sums, after)[: lists.PAGE + 1]),
        after=after,
        chart=charts.bars(by_day, asked.first, asked.last) if by_day else None,
        owed=owed,
        payable=payable,
        rules=rules,
        percent=percent,
        ranges=list(usual(form)),
    )


@blueprint.get("/fees.<any(csv,xlsx):form>")
def fees_file(form: str) -> Response:
    """The sums as a file."""
    with runtime().reading() as connection:
        _, asked = asked_by_address(connection)
        if asked is None:
            return views.go_with_query("pages.fees")
        sums = _sums(connection, asked)
        rows = (_cells(each) for each in sums)
        name, title = f"fees-by-{asked.by}", f"Fees by {asked.by}, from {asked.first}"
        return exports.table(form, name, (asked.by, *SUMS), rows, title, asked.last)


@blueprint.get("/fees/owed.<any(csv,xlsx):form>")
def fees_owed_file(form: str) -> Response:
    """What is owed to whom, as a file."""
    with runtime().reading() as connection:
        _, asked = asked_by_address(connection)
        if asked is None:
            return views.go_with_query("pages.fees")
        owed = ledger.owed(connection, asked.span)
        rows = (
            (
                exports.cell(each.provider),
                *map(written.usd, (each.incurred, each.settled, each.owed)),
            )
            for each in owed
        )
        return exports.table(form, "fees-owed", OWED, rows, "Fees owed", asked.last)


@blueprint.get("/fees/rules.<any(csv,xlsx):form>")
def fees_rules_file(form: str) -> Response:
    """Every rule there ever was, as a file."""
    with runtime().reading() as connection:
        rules = dated(rules_of.rules(), ledger.now(connection))
        rows = (
            (
                *(each.rule.kind, exports.moment(each.rule.start), exports.moment(each.until)),
                exports.cell(each.rule.provider),
                *(written.usd(each.rule.fixed), each.rule.basis_points, each.state),
            )
            for each in rules
        )
        return exports.table(form, "fee-rules", RULES, rows, "Rules of fees")


def dated(rules: Sequence[FeeRule], now: datetime) -> list[DatedRule]:
    """Rules, of each kind the latest first, with what they are at a time."""
    found: list[DatedRule] = []
    for number, rule in enumerate(rules):
        later = rules[number - 1] if number and rules[number - 1].kind == rule.kind else None
        has_begun = rule.start is None or rule.start <= now
        is_over = later is not None and later.start is not None and later.start <= now
        state = "past" if is_over else "in force" if has_begun else "to come"
        found.append(DatedRule(rule, later.start if later else None, state))
    return found


def percent(basis_points: int) -> str:
    """Of hundredths of a percent, as people write them."""
    return f"{basis_points // 100}.{basis_points % 100:02d} %"


def asked_by_address(connection: Connection) -> tuple[FeesForm, Asked | None]:
    """What the address asks for; nothing where its form has errors. By what there is not, is nowhere."""
    form = FeesForm(request.args)
    form.bounds = ledger.bounds(connection)
    if form.by.data not in BY:
        abort(404)
    if not form.validate():
        return form, None
    return form, Asked(form.by.data, *form.days())


def _sums(connection: Connection, asked: Asked) -> list[ledger.FeeSum]:
    """Days newest first, all else by name."""
    found = ledger.fee_sums(connection, asked.span, asked.by)
    return found[::-1] if asked.by == "day" else found


def _cells(sums: ledger.FeeSum) -> exports.Cells:
    figures = (sums.issuance, sums.conversion, sums.total, sums.settled)
    decimals: list[str | int] = [written.usd(units) for units in figures]
    return [exports.cell(sums.name), *decimals, sums.entries]


def _total(sums: Sequence[ledger.FeeSum]) -> ledger.FeeSum:
    return ledger.FeeSum(
        "",
        sum(each.issuance for each in sums),
        sum(each.conversion for each in sums),
        sum(each.settled for each in sums),
        sum(each.entries for each in sums),
    )


def _behind(sums: Sequence[ledger.FeeSum], name: str | None) -> Sequence[ledger.FeeSum]:
    """The rest of the list behind a name. Where there is none such, there is no such page."""
    if name is None:
        return sums
    names = [each.name for each in sums]
    if name not in names:
        abort(404)
    return sums[names.index(name) + 1 :]


def _payable(connection: Connection, last: date) -> int:
    """The balance of FEES_PAYABLE after a day."""
    lines = ledger.trial_balance(connection, Span.accounting(None, last)).lines
    return next(line.closing for line in lines if line.account == "FEES_PAYABLE")


def _name_of(by: By) -> Any:
    """What a row is called by people."""

    def name(said: str) -> str:
        if by == "kind":
            return words.kind_name(said)
        if by == "day":
            return formats.day(date.fromisoformat(said))
        if by == "region":
            return users.region_name(int(said))
        return said or UNNAMED.get(by, "")

    return name


def usual(form: FeesForm) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Days that people ask for, as far as the books have them."""
    month = form.today.replace(day=1)
    before = lists.month_before(month)
    for name, first, last in (
        ("This month", month, form.today),
        ("Last month", before, month - DAY),
        ("All", form.begun, form.today),
    ):
        if last >= form.begun:
            said = written.day(max(first, form.begun)), written.day(last)
            yield name, dict(zip(("first", "last"), said, strict=True))
