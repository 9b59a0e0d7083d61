"""The users of a bench, made set-based by the database's owner: ids 1 to N, in four time zones."""

from bench.stage import Books
from portal.services import clients

CLIENT = "bench"

USERS = """
INSERT INTO users (id, external_id, display_name, region, created_at, creation_hash)
SELECT n, 'bench-' || n, 'Player ' || n, 0, ledger.clock(), sha256('bench')
FROM generate_series(1, %(users)s) n;
SELECT setval('user_numbers', %(users)s);
INSERT INTO ledger.owners (owner_id) SELECT n FROM generate_series(1, %(users)s) n;
INSERT INTO ledger.owner_zones (owner_id, from_at, zone)
SELECT n, '-infinity', (ARRAY['UTC', 'Asia/Kolkata', 'America/Los_Angeles', 'Europe/Berlin'])[n %% 4 + 1]
FROM generate_series(1, %(users)s) n;
"""


def settle(books: Books, users: int, *scopes: str) -> str:
    """Make the users and the API client of the bench; its key, with some more scopes."""
    with books.owner() as cursor:
        cursor.execute(USERS, {"users": users})
        cursor.execute("VACUUM ANALYZE users, ledger.owners, ledger.owner_zones")
    with books.app.app_context():
        return clients.create_key(CLIENT, ["read", "wins:write", "admin", *scopes])


def client_id(books: Books) -> int:
    """The bench's API client, to whom its idempotency keys belong."""
    return int(books.ask("SELECT id FROM api_clients WHERE name = %s", CLIENT))
