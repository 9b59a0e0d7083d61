"""Credits: topped up when a payment was made, granted as a bonus, spent; and each of these reversed.

Every call answers what it booked with the wallet as it is now, or raises Refused with its code.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from portal import ledger
from portal.ledger import amounts
from portal.ledger.errors import Refused
from portal.ledger.idempotency import key_hash, request_hash
from portal.runtime import runtime
from portal.services import assets

DEFAULT_PROVIDER = "default"
DETAILS = {
    "insufficient_funds": "more than is available: send at most that, or top up first",
    "idempotency_key_reused": "this key was used for another request",
    "unknown_user": "there is no such user",
    "unknown_entry": "the user has no such entry",
    "already_reversed": "the entry was reversed before",
    "not_reversible": "only top-ups, bonuses and spends can be reversed",
    "unknown_hold": "the user's wallet has no such hold",
    "hold_not_open": "the hold was captured or released before, or has expired",
    "capture_exceeds_hold": "a capture takes at most what is held",
    "expires_at_out_of_range": "a hold expires within the next 31 days",
    "period_closed": "the books of this month are closed",
    "internal_error": "the entry could not be booked; nothing was written",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A credit's movement as a client asked for it: `amount` in base units of the asset."""

    client_id: int
    key: str
    user_id: int
    asset: ledger.AssetInfo
    amount: int
    reference: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What was booked: `amount` in base units of `asset`; and the wallet as it is now."""

    user_id: int
    seq: int
    kind: str
    asset: ledger.AssetInfo
    amount: int
    booked_at: datetime
    reference: str | None
    is_replayed: bool
    wallet: ledger.Wallet


def top_up(request: Request, provider: str | None) -> Transaction:
    """Book what the user has paid for; `reference` is the payment's, and counts once a provider.

    Where there is only one provider it need not be named: it is called 'default'.

    Raises Refused('payment_reference_reused') and what `post` raises.
    """
    provider = provider or DEFAULT_PROVIDER
    hashed = key_hash(request.client_id, request.key)
    with ledger.autocommit(runtime().engine).connect() as connection:
        if not ledger.claim_payment(
            connection, provider, request.reference, request.user_id, hashed
        ):
            raise Refused(
                "payment_reference_reused",
                "this payment was, or is being, booked by another request: a retry sends the same key",
                param="reference",
            )
    return post(request, "top_up", provider, provider=provider)


def bonus(request: Request, reason: str | None) -> Transaction:
    """Book a present. Raises what `post` raises."""
    return post(request, "bonus", reason, reason=reason)


def spend(request: Request) -> Transaction:
    """Book what the user bought. Raises Refused('insufficient_funds') and what `post` raises."""
    return post(request, "spend")


def reverse(client_id: int, key: str, user_id: int, seq: int, reason: str) -> Transaction:
    """Turn a top-up, bonus or spend round, once.

    Raises Refused('unknown_entry', 'not_reversible', 'already_reversed', 'insufficient_funds') and
    what `post` raises.
    """
    original = _booked(user_id, seq)
    asset = _credit_of(original)
    entry = ledger.Entry(
        owner_id=user_id,
        kind="reversal",
        ledger_id=asset.ledger_id,
        client_id=client_id,
        key_hash=key_hash(client_id, key),
        request_hash=request_hash("reversal", user_id, seq, reason),
        amount=None,
        reverses_seq=seq,
        reason=reason,
    )
    try:
        made = book(entry, asset, 0)
    except Refused as refused:
        if refused.code == "unknown_entry" and original:  # of a ledger that is no credit's
            raise Refused("not_reversible", DETAILS["not_reversible"]) from refused
        raise
    original = original or _booked(user_id, seq)  # booked in that very moment
    assert original is not None
    return replace(made, amount=original.amount)


def _booked(user_id: int, seq: int) -> ledger.Booked | None:
    with runtime().engine.connect() as connection:
        return ledger.booked(connection, user_id, seq)


def _credit_of(original: ledger.Booked | None) -> ledger.AssetInfo:
    """The credit of an entry; of no entry, or one of another asset, any: its ledger has none such."""
    asset = assets.get(original.asset) if original else None
    if asset and asset.kind == "credit":
        return asset
    return next(each for each in assets.every() if each.kind == "credit")


def post(request: Request, kind: str, *hashed: str | int | None, **fields: Any) -> Transaction:
    """Book a request as an entry of a kind; `hashed` are the fields that only this kind has.

    Raises Refused with the code of the rule that says no, and Unavailable.
    """
    asset = request.asset
    said = (asset.code, request.amount, request.reference, request.description, *hashed)
    entry = ledger.Entry(
        owner_id=request.user_id,
        kind=kind,
        ledger_id=asset.ledger_id,
        client_id=request.client_id,
        key_hash=key_hash(request.client_id, request.key),
        request_hash=request_hash(kind, request.user_id, *said),
        amount=request.amount,
        reference=request.reference,
        description=request.description,
        **fields,
    )
    return book(entry, asset, request.amount)


def book(entry: ledger.Entry, asset: ledger.AssetInfo, amount: int) -> Transaction:
    """Post an entry of a credit, whose amount is known beforehand. Raises Refused, Unavailable."""
    outcome = runtime().poster.post(entry)
    wallet = ledger.Wallet(outcome.balance or 0, outcome.held or 0)
    if outcome.status == "rejected":
        raise _refused(outcome.code or "internal_error", asset, wallet)
    assert outcome.seq is not None
    assert outcome.booked_at is not None
    return Transaction(
        user_id=entry.owner_id,
        seq=outcome.seq,
        kind=entry.kind,
        asset=asset,
        amount=amount,
        booked_at=outcome.booked_at,
        reference=entry.reference,
        is_replayed=outcome.status == "replayed",
        wallet=wallet,
    )


def _refused(code: str, asset: ledger.AssetInfo, wallet: ledger.Wallet) -> Refused:
    figures = {}
    if code == "insufficient_funds":
        figures = {
            "balance": amounts.text(wallet.balance, asset.scale),
            "held": amounts.text(wallet.held, asset.scale),
            "available": amounts.text(wallet.available, asset.scale),
        }
    return Refused(code, DETAILS.get(code, ""), **figures)
