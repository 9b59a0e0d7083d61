"""Holds: a spend in two steps, for what is delivered later. Held first, then captured or released."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from portal import ledger
from portal.ledger import amounts
from portal.ledger.errors import NotFound, Refused, Unavailable
from portal.ledger.idempotency import SYSTEM, Field, key_hash, microseconds, request_hash
from portal.runtime import runtime
from portal.services import credits
from portal.services.credits import Request, Transaction

log = logging.getLogger(__name__)

BATCH = 500
REASON = "expired"
LEFT = ("hold_not_open", "period_closed")
"""Ended meanwhile; or left until the next month begins."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a client wants a hold to end with."""

    client_id: int
    key: str
    user_id: int
    asset: ledger.AssetInfo
    hold_seq: int


def hold(request: Request, expires_at: datetime | None) -> tuple[Transaction, ledger.Hold]:
    """Set credits aside until a capture, a release or `expires_at` (None: 7 days from now).

    Raises Refused('insufficient_funds', 'expires_at_out_of_range') and what `credits.post` raises.
    """
    until = microseconds(expires_at) if expires_at else None
    made = credits.post(request, "hold", until, expires_at=expires_at)
    return made, get(request.user_id, request.asset, made.seq)


def capture(
    ending: Ending, amount: int | None, reference: str | None, description: str | None
) -> tuple[Transaction, ledger.Hold]:
    """Spend what is held, or `amount` of it in base units, and release the rest.

    Raises Refused('unknown_hold', 'hold_not_open', 'capture_exceeds_hold') and what `credits.book`
    raises.
    """
    entry = _entry(ending, "capture", amount, reference, description)
    return _end(ending, replace(entry, amount=amount, reference=reference, description=description))


def release(ending: Ending, reason: str | None) -> tuple[Transaction, ledger.Hold]:
    """Give all that is held back. Raises Refused('unknown_hold', 'hold_not_open')."""
    return _end(ending, replace(_entry(ending, "release", reason), reason=reason))


def get(user_id: int, asset: ledger.AssetInfo, seq: int) -> ledger.Hold:
    """A hold of a wallet. Raises NotFound('unknown_user', 'unknown_hold')."""
    with runtime().snapshot() as connection:
        found = ledger.hold(connection, user_id, asset, seq)
        if found is None:
            ledger.local_day(connection, user_id, ledger.now(connection))
            raise NotFound("unknown_hold", credits.DETAILS["unknown_hold"])
    return found


def every(
    user_id: int, asset: ledger.AssetInfo, before_seq: int | None, limit: int
) -> list[ledger.Hold]:
    """A wallet's holds, newest first. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        ledger.local_day(connection, user_id, ledger.now(connection))
        return ledger.holds(connection, user_id, asset, before_seq, limit)


def expire_due() -> int:
    """Release every open hold whose time is over; how many. Safe to run twice at once.

    Those of users that are locked for long are left to the next run.
    """
    released, due = 0, None
    while page := _due(due):
        try:
            released += _release(page)
        except Unavailable as error:
            log.warning("expired holds are left to the next run: %s", error.detail)
        due = page[-1]
    return released


def _release(page: list[ledger.DueHold]) -> int:
    """Post the releases of a page; how many are new."""
    entries = [_expiry(hold) for hold in page]
    outcomes = ledger.post_batch(runtime().engine, entries, ledger.UNBOUNDED)
    for hold, outcome in zip(page, outcomes, strict=True):
        if outcome.status == "rejected" and outcome.code not in LEFT:
            log.error("hold %d-%d can't be released: %s", hold.owner_id, hold.seq, outcome.code)
    return sum(outcome.status == "posted" for outcome in outcomes)


def _due(after: ledger.DueHold | None) -> list[ledger.DueHold]:
    with runtime().engine.connect() as connection:
        return ledger.due_holds(connection, after, BATCH)


def _expiry(hold: ledger.DueHold) -> ledger.Entry:
    return ledger.Entry(
        owner_id=hold.owner_id,
        kind="release",
        ledger_id=hold.ledger_id,
        client_id=SYSTEM,
        key_hash=key_hash(SYSTEM, f"expiry:{hold.seq}"),
        request_hash=request_hash("release", hold.owner_id, hold.seq),
        amount=None,
        hold_seq=hold.seq,
        reason=REASON,
    )


def _entry(ending: Ending, kind: str, *said: Field) -> ledger.Entry:
    return ledger.Entry(
        owner_id=ending.user_id,
        kind=kind,
        ledger_id=ending.asset.ledger_id,
        client_id=ending.client_id,
        key_hash=key_hash(ending.client_id, ending.key),
        request_hash=request_hash(kind, ending.user_id, ending.asset.code, ending.hold_seq, *said),
        amount=None,
        hold_seq=ending.hold_seq,
    )


def _end(ending: Ending, entry: ledger.Entry) -> tuple[Transaction, ledger.Hold]:
    try:
        made = credits.book(entry, ending.asset, 0)
    except Refused as refused:
        if refused.code == "capture_exceeds_hold":
            held = get(ending.user_id, ending.asset, ending.hold_seq).amount
            refused.figures["held"] = amounts.text(held, ending.asset.scale)
        raise
    ended = get(ending.user_id, ending.asset, ending.hold_seq)
    amount = ended.amount if ended.captured is None else ended.captured
    return replace(made, amount=amount), ended
