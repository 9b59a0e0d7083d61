"""Carries the chart from code into the database's reference tables, and holds one against the other.

`install` is called by migrations; `check` at every boot.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from portal.ledger import chart, models
from portal.ledger.errors import ChartMismatch

Rows = list[dict[str, Any]]
FIRST_CREDIT_LEDGER = 4
FIRST_CREDIT_ACCOUNT = 10


def credit_ledger(position: int, asset: str) -> chart.Ledger:
    """The ledger of the credit that was added as number `position` (0, 1, ...)."""
    return chart.Ledger(FIRST_CREDIT_LEDGER + position, asset, asset, chart.CREDIT_ACCOUNTS)


def ledgers(credits: list[str]) -> list[chart.Ledger]:
    """Every ledger of the books, given the codes of the closed-loop assets in their order."""
    return [*chart.FIXED_LEDGERS, *(credit_ledger(n, code) for n, code in enumerate(credits))]


class Book:
    """The reference tables, as the chart and a list of closed-loop assets say they must be."""

    def __init__(self, credits: list[str]) -> None:
        self._ledgers = ledgers(credits)
        self._ids = dict(self._number())
        self._accounts = {(led.code, a.code): a for led in self._ledgers for a in led.accounts}

    def _number(self) -> Iterator[tuple[tuple[str, str], int]]:
        fixed = 0
        for led in self._ledgers:
            for position, account in enumerate(led.accounts):
                if led.id < FIRST_CREDIT_LEDGER:
                    fixed += 1
                    yield (led.code, account.code), fixed
                else:
                    block = (led.id - FIRST_CREDIT_LEDGER) * len(chart.CREDIT_ACCOUNTS)
                    yield (led.code, account.code), FIRST_CREDIT_ACCOUNT + block + position

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
                is_credit = led.id >= FIRST_CREDIT_LEDGER
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
            }

    def _user_sign(self, key: tuple[str, str]) -> int:
        account = self._accounts[key]
        if account.scope == "company":
            return 0
        return 1 if account.normal_side == "debit" else -1


def install(connection: Connection) -> None:
    """Write assets, chart, kinds and pairs. Rows that are there already stay as they are."""
    assets = [
        {"code": a.code, "name": a.name, "scale": a.scale, "kind": a.kind} for a in chart.ASSETS
    ]
    connection.execute(insert(models.Asset).on_conflict_do_nothing(), assets)
    for model, rows in Book(_credits(connection)).tables().items():
        connection.execute(insert(model).on_conflict_do_nothing(), rows)
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
    for model, rows in Book(_credits(connection)).tables().items():
        columns = list(rows[0])
        table = model.__table__
        found = connection.execute(select(*(table.c[name] for name in columns))).all()
        wanted = {tuple(row[name] for name in columns) for row in rows}
        for row in wanted.symmetric_difference(tuple(r) for r in found):
            side = "code" if row in wanted else "database"
            raise ChartMismatch(
                table.name, f"only the {side} has {dict(zip(columns, row, strict=True))}"
            )


def _credits(connection: Connection) -> list[str]:
    known = select(models.Ledger.asset).where(models.Ledger.id >= FIRST_CREDIT_LEDGER)
    in_order = list(connection.scalars(known.order_by(models.Ledger.id)))
    credits = select(models.Asset.code).where(models.Asset.kind == "credit")
    added = sorted(set(connection.scalars(credits)) - set(in_order))
    fixed = [a.code for a in chart.ASSETS if a.kind == "credit"]
    return in_order + sorted(
        added, key=lambda code: (fixed.index(code) if code in fixed else 99, code)
    )
