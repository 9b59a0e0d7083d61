"""Carries the chart from code into the database's reference tables, and holds one against the other.

`install` is called once migrations have run; `check` at every boot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import Insert, insert

from portal.ledger import chart, models
from portal.ledger.errors import ChartMismatch

Rows = list[dict[str, Any]]
AccountKey = tuple[str, str]
"""Codes of a ledger and of an account in it."""
FIXED = {led.code for led in chart.FIXED_LEDGERS}
DERIVED = (models.Flow, models.Pair)
FEE_RULES = {
    "win": {"provider": "token-issuer", "fixed": 10**15, "basis_points": 0},
    "conversion": {"provider": "exchange", "fixed": 0, "basis_points": 100},
}
"""The rules that a database starts with."""


@dataclass(frozen=True)
class Numbers:
    """The numbers that ledgers and accounts have in a database: given once, never changed."""

    ledgers: dict[str, int]
    accounts: dict[AccountKey, int]


class Book:
    """The reference tables, as the chart and a list of closed-loop assets say they must be.

    What the database has no number for yet gets the next free one.
    """

    def __init__(self, credits: list[str], given: Numbers) -> None:
        ledgers = {led.code: led.id for led in chart.FIXED_LEDGERS} | given.ledgers
        free = count(max(ledgers.values()) + 1)
        self._ledgers = [*chart.FIXED_LEDGERS] + [
            chart.Ledger(ledgers.get(code) or next(free), code, code, chart.CREDIT_ACCOUNTS)
            for code in credits
        ]
        self._accounts = {(led.code, a.code): a for led in self._ledgers for a in led.accounts}
        free = count(max(given.accounts.values(), default=0) + 1)
        self._ids = {key: given.accounts.get(key) or next(free) for key in self._accounts}

    def tables(self) -> dict[type[Any], Rows]:
        """Rows by model, in an order that foreign keys allow."""
        return {
            models.Ledger: [
                {"id": led.id, "code": led.code, "asset": led.asset} for led in self._ledgers
            ],
            models.Account: [self._account(key) for key in self._ids],
            models.EntryKind: [{"id": kind.id, "code": kind.code} for kind in chart.KINDS],
            models.Flow: [self._flow(kind, led) for kind, led in self._flows()],
            models.Pair: [row for kind, led in self._flows() for row in self._pairs(kind, led)],
        }

    def _account(self, key: tuple[str, str]) -> dict[str, Any]:
        account = self._accounts[key]
        return {
            "id": self._ids[key],
            "ledger_id": next(led.id for led in self._ledgers if led.code == key[0]),
            "code": account.code,
            "type": account.type,
            "scope": account.scope,
            "sign": 1 if account.normal_side == "debit" else -1,
            "never_negative": account.never_negative,
            "day_limit": account.day_limit,
        }

    def _flows(self) -> Iterator[tuple[chart.Kind, chart.Ledger]]:
        for kind in chart.KINDS:
            for led in self._ledgers:
                first = kind.pairs[0].ledger if kind.pairs else None
                is_credit = led.code not in FIXED
                if first is None or first == led.code or (first == chart.CREDIT and is_credit):
                    yield kind, led

    def _flow(self, kind: chart.Kind, led: chart.Ledger) -> dict[str, Any]:
        source = target = limited = None
        if kind.pairs:
            pair = kind.pairs[0]
            source = self._floored(led.code, pair.credit)
            target = self._floored(led.code, pair.debit)
            limited = self._ids[led.code, pair.credit] if self._limit(led, pair.credit) else None
        return {
            "kind_id": kind.id,
            "ledger_id": led.id,
            "source_id": source,
            "target_id": target,
            "limited_id": limited,
            "day_limit": self._limit(led, kind.pairs[0].credit) if kind.pairs else None,
            "reversible": kind.reversible if kind.pairs else None,
            **self._wallet(led),
            "hold": kind.hold,
            "names_provider": kind.names_provider,
        }

    def _wallet(self, led: chart.Ledger) -> dict[str, int | None]:
        """The accounts of a user's wallet: none in the fees, two in a credit."""
        codes = [a.code for a in led.accounts if a.never_negative]
        held = self._ids[led.code, chart.HELD] if chart.HELD in codes else None
        available = next((code for code in codes if code != chart.HELD), None)
        return {
            "available_id": self._ids[led.code, available] if available else None,
            "held_id": held,
        }

    def _floored(self, ledger: str, account: str) -> int | None:
        key = (ledger, account)
        return self._ids[key] if self._accounts[key].never_negative else None

    def _limit(self, led: chart.Ledger, account: str) -> int | None:
        return self._accounts[led.code, account].day_limit

    def _pairs(self, kind: chart.Kind, led: chart.Ledger) -> Iterator[dict[str, Any]]:
        for line, pair in enumerate(kind.pairs, start=1):
            code = led.code if pair.ledger == chart.CREDIT else pair.ledger
            debit, credit = (code, pair.debit), (code, pair.credit)
            yield {
                "kind_id": kind.id,
                "ledger_id": led.id,
                "line": line,
                "posting_ledger_id": next(x.id for x in self._ledgers if x.code == code),
                "debit_account_id": self._ids[debit],
                "credit_account_id": self._ids[credit],
                "role": pair.role,
                "debit_sign": self._user_sign(debit),
                "credit_sign": self._user_sign(credit),
                "counts": self._accounts[credit].day_limit is not None,
                "wallet": pair.ledger == chart.CREDIT,
            }

    def _user_sign(self, key: tuple[str, str]) -> int:
        account = self._accounts[key]
        if account.scope == "company":
            return 0
        return 1 if account.normal_side == "debit" else -1


def install(connection: Connection) -> None:
    """Write assets, chart, kinds, pairs and the first fee rules.

    Accounts and what else has a number stay as they are; flows and pairs follow the chart.
    """
    assets = [
        {"code": a.code, "name": a.name, "scale": a.scale, "kind": a.kind} for a in chart.ASSETS
    ]
    connection.execute(insert(models.Asset).on_conflict_do_nothing(), assets)
    for model, rows in _book(connection).tables().items():
        connection.execute(_following(model), rows)
    kinds = {kind.code: kind.id for kind in chart.KINDS}
    rules = [
        {"kind_id": kinds[kind], "from_at": text("'-infinity'::timestamptz")} | rule
        for kind, rule in FEE_RULES.items()
    ]
    connection.execute(insert(models.FeeRule).values(rules).on_conflict_do_nothing())
    house = {"owner_id": chart.HOUSE}
    connection.execute(insert(models.Owner).on_conflict_do_nothing(), house)
    zone = house | {"from_at": text("'-infinity'"), "zone": "UTC"}
    connection.execute(insert(models.OwnerZone).values(zone).on_conflict_do_nothing())
    shift = {"id": 1, "shift": text("'0'::interval")}
    connection.execute(insert(models.ClockShift).values(shift).on_conflict_do_nothing())


def check(connection: Connection) -> None:
    """Hold the database's tables against the chart in code.

    Raises ChartMismatch, naming the first table and row that differ. Credits may have been added;
    the assets in code are there with their scale, which never changes.
    """
    scales = select(models.Asset.code, models.Asset.scale, models.Asset.kind)
    known = {tuple(row) for row in connection.execute(scales)}
    for asset in chart.ASSETS:
        if (asset.code, asset.scale, asset.kind) not in known:
            raise ChartMismatch("assets", f"only the code has {asset}")
    for model, rows in _book(connection).tables().items():
        columns = list(rows[0])
        table = model.__table__
        found = connection.execute(select(*(table.c[name] for name in columns))).all()
        wanted = {tuple(row[name] for name in columns) for row in rows}
        for row in wanted.symmetric_difference(tuple(r) for r in found):
            side = "code" if row in wanted else "database"
            raise ChartMismatch(
                table.name, f"only the {side} has {dict(zip(columns, row, strict=True))}"
            )


def _following(model: type[Any]) -> Insert:
    """An insert that leaves numbered rows alone, and writes derived ones anew."""
    new = insert(model)
    if model not in DERIVED:
        return new.on_conflict_do_nothing()
    key = [column.name for column in model.__table__.primary_key]
    others = {c.name: new.excluded[c.name] for c in model.__table__.columns if c.name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=others)


def _book(connection: Connection) -> Book:
    """The tables as they must be, with the numbers that this database has given."""
    ledgers = select(models.Ledger.code, models.Ledger.id).order_by(models.Ledger.id)
    accounts = select(models.Ledger.code, models.Account.code, models.Account.id).join(
        models.Ledger, models.Ledger.id == models.Account.ledger_id
    )
    given = Numbers(
        {row.code: row.id for row in connection.execute(ledgers)},
        {(ledger, code): number for ledger, code, number in connection.execute(accounts)},
    )
    credits = select(models.Asset.code).where(models.Asset.kind == "credit")
    known = [*given.ledgers, *(asset.code for asset in chart.ASSETS)]
    order = {code: place for place, code in reversed([*enumerate(known)])}
    by_age = sorted(connection.scalars(credits), key=lambda code: (order.get(code, 999), code))
    return Book(by_age, given)
