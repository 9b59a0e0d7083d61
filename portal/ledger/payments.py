"""Payment references: each is claimed, once a provider, before the top-up it pays is posted."""

from sqlalchemy import Connection, text

from portal.ledger.errors import NotFound

CLAIM = text(
    "SELECT ledger.claim_payment(:provider, :reference, :owner_id, CAST(:key_hash AS uuid))"
)


def claim_payment(
    connection: Connection, provider: str, reference: str, owner_id: int, key_hash: str
) -> bool:
    """Claim a payment for the entry that an owner's key will make; False when it is another's.

    One a transaction: `connection` is in autocommit, or the caller commits before it posts. Raises
    NotFound('unknown_user').
    """
    known = {
        "provider": provider,
        "reference": reference,
        "owner_id": owner_id,
        "key_hash": key_hash,
    }
    is_claimed = connection.execute(CLAIM, known).scalar_one()
    if is_claimed is None:
        raise NotFound("unknown_user", f"there is no user {owner_id}")
    return bool(is_claimed)
