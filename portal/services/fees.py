"""Fees: what issuing and converting cost the company, as dated rules.

The posting function applies the rule in force: at `booked_at` for a win, at the hour's end for a
conversion. Fees are borne by the company; no user's account is touched.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from portal.ledger import amounts, chart
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit

WHOLE = 10_000
"""Basis points in one."""


@dataclass(frozen=True, slots=True)
class FeeRule:
    """`fixed` is in base units of USD for each entry, `basis_points` of the USD converted."""

    kind: str
    start: datetime | None
    """None: it held from the beginning."""
    provider: str
    fixed: int
    basis_points: int


RULES = """
SELECT k.code, nullif(f.from_at, '-infinity') AS start, f.provider, f.fixed, f.basis_points
FROM ledger.fee_rules f JOIN ledger.entry_kinds k ON k.id = f.kind_id
ORDER BY k.id, f.from_at DESC
"""


def rules() -> list[FeeRule]:
    """Every rule there ever was, the latest first."""
    with runtime().snapshot() as connection:
        return _rules(connection)


def _rules(connection: Connection) -> list[FeeRule]:
    return [
        FeeRule(r.code, r.start, r.provider, int(r.fixed), r.basis_points)
        for r in connection.execute(text(RULES))
    ]


def add_rule(rule: FeeRule) -> None:
    """Let a rule hold from `rule.start` on.

    Raises Refused('backdated') for a start before now, Refused('invalid_fee_rule') for what can't
    be: a negative part or one beyond an amount, more than all, no provider, an unknown kind, basis
    points on a kind that converts nothing, or a second rule from the same moment.
    """
    if rule.start is None:
        raise Refused("backdated", "only the first rules hold from the beginning")
    is_amount = 0 <= rule.fixed <= amounts.MAX_AMOUNT
    if not (is_amount and 0 <= rule.basis_points <= WHOLE and rule.provider):
        raise Refused("invalid_fee_rule", f"there is no such fee: {rule}")
    values = {
        "kind": rule.kind,
        "provider": rule.provider,
        "start": rule.start,
        "fixed": rule.fixed,
        "points": rule.basis_points,
    }
    try:
        with runtime().engine.begin() as connection:
            connection.execute(
                text("SELECT ledger.add_fee_rule(:kind, :provider, :start, :fixed, :points)"),
                values,
            )
            before = _before(connection, rule)
            audit.record(connection, "fee_rule.added", "fee_rule", rule.kind, before, _told(rule))
    except DBAPIError as error:
        code = {"DL005": "backdated", "DL006": "invalid_fee_rule", "23505": "invalid_fee_rule"}.get(
            getattr(error.orig, "pgcode", "")
        )
        if code is None:
            raise
        raise Refused(code, str(error.orig).partition("\n")[0]) from error


def _before(connection: Connection, rule: FeeRule) -> dict[str, Any] | None:
    """The rule of the kind that holds until this one does."""
    assert rule.start is not None
    earlier = (
        each
        for each in _rules(connection)
        if each.kind == rule.kind and (each.start is None or each.start < rule.start)
    )
    return next(map(_told, earlier), None)


def _told(rule: FeeRule) -> dict[str, Any]:
    return {
        "start": rule.start,
        "provider": rule.provider,
        "fixed": amounts.text(rule.fixed, chart.TOKEN_SCALE),
        "basis_points": rule.basis_points,
    }
