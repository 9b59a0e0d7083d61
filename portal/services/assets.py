"""Assets: what there is, and adding a closed-loop credit, which needs no code."""

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit


def every() -> list[ledger.AssetInfo]:
    """Every asset, tokens and currencies first."""
    with runtime().snapshot() as connection:
        return list(ledger.assets(connection).values())


def ledgers() -> list[str]:
    """The codes of every ledger."""
    with runtime().snapshot() as connection:
        return list(ledger.ledgers(connection))


def get(code: str) -> ledger.AssetInfo:
    """An asset by its code. Raises NotFound('unknown_asset').

    An asset never changes: a process reads each once.
    """
    known = runtime().assets
    if code not in known:
        with runtime().snapshot() as connection:
            known.update(ledger.assets(connection))
    if code not in known:
        raise NotFound("unknown_asset", "there is no such asset: GET /api/v1/assets lists them")
    return known[code]


def of_ledger(ledger_id: int) -> ledger.AssetInfo:
    """The asset whose wallets are in a ledger."""
    known = runtime().assets
    for again in (False, True):
        if again:
            with runtime().engine.connect() as connection:
                known.update(ledger.assets(connection))
        for asset in known.values():
            if asset.ledger_id == ledger_id:
                return asset
    raise NotFound("unknown_asset", f"no asset is in ledger {ledger_id}")


def credit(code: str) -> ledger.AssetInfo:
    """A closed-loop asset. Raises NotFound('unknown_asset'), Refused('asset_not_allowed')."""
    asset = get(code)
    if asset.kind != "credit":
        raise Refused("asset_not_allowed", f"{code} is no credit: it can't be moved by this call")
    return asset


def add(code: str, name: str, scale: int) -> bool:
    """Add a credit; False when it is there already, the same. Raises Refused('asset_not_added')."""
    with runtime().engine.begin() as connection:
        added = ledger.add_asset(connection, code, name, scale)
        if added:
            audit.record(
                connection, "asset.added", "asset", code, after={"name": name, "scale": scale}
            )
        return added
