"""Assets: the units of value. Tokens and currencies are in the chart; credits are data and may be added."""

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from portal.ledger.errors import Refused


@dataclass(frozen=True, slots=True)
class AssetInfo:
    """An asset with the ledger that users' wallets of it are in, and the accounts of a wallet."""

    code: str
    name: str
    scale: int
    kind: str
    ledger_id: int
    available_id: int
    held_id: int | None


ASSETS = """
SELECT a.code, a.name, a.scale, a.kind, l.id AS ledger_id, f.available_id, f.held_id
FROM ledger.assets a
JOIN ledger.ledgers l ON l.code = a.code
JOIN (SELECT DISTINCT ledger_id, available_id, held_id FROM ledger.flows) f ON f.ledger_id = l.id
ORDER BY l.id
"""


def assets(connection: Connection) -> dict[str, AssetInfo]:
    """Every asset by code, tokens and currencies first."""
    return {row.code: AssetInfo(*row) for row in connection.execute(text(ASSETS))}


def add_asset(connection: Connection, code: str, name: str, scale: int) -> bool:
    """Add a closed-loop asset with its chart; False when it is there already, the same.

    Raises Refused('asset_not_added') for a code, name or scale that can't be, and for a code that
    is there with another name or scale: an asset never changes.
    """
    known = {"code": code, "name": name, "scale": scale}
    try:
        added = connection.scalar(text("SELECT ledger.add_asset(:code, :name, :scale)"), known)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "DL013":
            raise Refused("asset_not_added", str(error.orig).partition("\n")[0]) from error
        raise
    return bool(added)


LEDGERS = "SELECT code, asset FROM ledger.ledgers ORDER BY id"


def ledgers(connection: Connection) -> dict[str, str]:
    """Every ledger by code, with the asset that it is kept in."""
    return {row.code: row.asset for row in connection.execute(text(LEDGERS))}
