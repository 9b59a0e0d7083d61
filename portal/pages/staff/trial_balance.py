"""Trial balance: debits and credits of every account at any time, from either side, on either clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Response, request

from portal import ledger
from portal.ledger.trial_balance import Line
from portal.pages import exports, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.books import TrialBalanceForm
from portal.pages.staff import spans
from portal.runtime import runtime
from portal.services import assets, written

COLUMNS = (
    *("ledger", "asset", "account", "type", "opening_debit", "opening_credit"),
    *("debits", "credits", "closing_debit", "closing_credit"),
)

Pair = tuple[int, int]
"""A debit and a credit, in base units."""


@dataclass(frozen=True, slots=True)
class Row:
    """An account: its balance before and after on the side where it is, and all that moved."""

    line: Line
    opening: Pair
    moved: Pair
    closing: Pair


@dataclass(frozen=True, slots=True)
class Section:
    """The accounts of a ledger with their totals."""

    ledger: str
    asset: str
    scale: int
    rows: Sequence[Row]

    @property
    def opening(self) -> Pair:
        """Totals before."""
        return _sum(row.opening for row in self.rows)

    @property
    def moved(self) -> Pair:
        """Totals of what moved."""
        return _sum(row.moved for row in self.rows)

    @property
    def closing(self) -> Pair:
        """Totals after."""
        return _sum(row.closing for row in self.rows)

    @property
    def is_balanced(self) -> bool:
        """Whether debits equal credits, before, between and after."""
        return all(debit == credit for debit, credit in (self.opening, self.moved, self.closing))


@blueprint.get("/trial-balance")
def trial_balance() -> Response:
    """Every account of a ledger or all; the filters are in the address."""
    form = TrialBalanceForm(request.args)
    with runtime().reading() as connection:
        spans.fill(form, connection)
        if not form.validate():
            form.ledger.choices = _choices(assets.ledgers())
            return views.form_page("staff/trial_balance.html", form, "staff/_trial_balance.html")
        asked = spans.asked(form)
        found = ledger.trial_balance(connection, asked.span)
        finality = spans.finality(connection, found)
    every = _sections(found, asked.side)
    form.ledger.choices = _choices(each.ledger for each in every)
    return views.form_page(
        "staff/trial_balance.html",
        form,
        "staff/_trial_balance.html",
        asked=asked,
        found=found,
        finality=finality,
        sections=_chosen(every, form),
        chips=[
            (name, _of_ledger(form) | said, _is_here(said)) for name, said in spans.usual(asked)
        ],
    )


@blueprint.get("/trial-balance.<any(csv,xlsx):form>")
def trial_balance_file(form: str) -> Response:
    """The same as a file."""
    filters = TrialBalanceForm(request.args)
    with runtime().reading() as connection:
        spans.fill(filters, connection)
        if not filters.validate():
            return views.go_with_query("pages.trial_balance")
        asked = spans.asked(filters)
        found = ledger.trial_balance(connection, asked.span)
    rows = _cells(_chosen(_sections(found, asked.side), filters))
    title = f"Trial balance of {filters.ledger.data or 'all ledgers'}, {asked.words}"
    return exports.sheet(form, "trial-balance", COLUMNS, rows, spans.stamp(title, asked, found))


def row(line: Line) -> Row:
    """An account's figures as a trial balance shows them."""
    return Row(
        line,
        net(line.opening_debits, line.opening_credits),
        (line.debits, line.credits),
        net(line.closing_debits, line.closing_credits),
    )


def net(debits: int, credits: int) -> Pair:
    """A balance on the side that has more."""
    return max(debits - credits, 0), max(credits - debits, 0)


def _choices(codes: Iterable[str]) -> dict[str, str]:
    return {"": "All"} | {code: code for code in codes}


def _of_ledger(form: TrialBalanceForm) -> dict[str, str]:
    return {"ledger": form.ledger.data} if form.ledger.data else {}


def _is_here(said: dict[str, str]) -> bool:
    """Whether the address says the same times."""
    return all(request.args.get(name, "") == said.get(name, "") for name in ("since", "until"))


def _chosen(sections: Sequence[Section], form: TrialBalanceForm) -> list[Section]:
    return [each for each in sections if form.ledger.data in ("", each.ledger)]


def _sections(found: ledger.TrialBalance, side: ledger.Side) -> list[Section]:
    lines = (line.seen_from(side) for line in found.lines)
    return [
        Section(code, first.asset, first.scale, [row(line) for line in (first, *rest)])
        for code, (first, *rest) in groupby(lines, lambda line: line.ledger)
    ]


def _cells(sections: Iterable[Section]) -> Iterator[exports.Cells]:
    for section in sections:
        for each in section.rows:
            figures = (*each.opening, *each.moved, *each.closing)
            line = each.line
            head = (line.ledger, line.asset, line.account, line.type)
            yield (*head, *(written.decimal(figure, section.scale) for figure in figures))


def _sum(pairs: Iterable[Pair]) -> Pair:
    debits, credits = zip(*pairs, strict=True)
    return sum(debits), sum(credits)
