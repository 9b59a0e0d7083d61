"""The demo: users, a finance admin, an API key, three days of history and seed.sql, made the real way.

The history is booked on the ledger clock, which starts three days ago while the books are empty and
moves forward hour by hour. Run again, it goes on where it was, and adds nothing once it is done.
"""

import json
import os
import random
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.boot import DEMO_ADMIN, DEMO_CLIENT
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, clients, conversions, users, wins
from portal.services.accounts import passwords, second_factor
from portal.services.models import SignIn

HISTORY = timedelta(days=3)
GAMES = ("maze", "gem-rush", "sky-race")
PEOPLE = (
    ("demo-ada", "Ada", "Europe/London"),
    ("demo-bruno", "Bruno", "Europe/Berlin"),
    ("demo-chandra", "Chandra", "Asia/Kolkata"),
    ("demo-dolores", "Dolores", "America/Los_Angeles"),
    ("demo-emi", "Emi", "Pacific/Auckland"),
    ("demo-fatima", "Fatima", "UTC"),
)
ADMIN = DEMO_ADMIN
SEED = Path(__file__).parent.parent.parent / "seed.sql"
BOOKED_BY_SEED = """
SELECT count(*) FROM ledger.entries e JOIN api_clients c ON c.id = e.client_id WHERE c.name = 'seed'
"""


def seed() -> bool:
    """Make the demo and write its secrets to VAR_DIR/demo.json; False if all was there.

    Raises Refused('forbidden') in production.
    """
    if runtime().settings.is_production:
        raise Refused("forbidden", "production takes no demo users, secrets or history")
    people = [users.create(*person)[0] for person in PEOPLE]
    made = _history(people)
    made = _opening_balances() or made
    _lift_rate_limit()
    made = _secrets(runtime().settings.var_dir / "demo.json", people) or made
    if made:
        with runtime().engine.begin() as connection:
            audit.record(connection, "demo.seeded", "books")
    return made


def _history(people: list[users.Profile]) -> bool:
    """Book what is missing of the three days; False when nothing is."""
    real = datetime.now(UTC)
    with runtime().engine.begin() as connection:
        start = ledger.first_booked_hour(connection)
        if start is not None and ledger.shift(connection) >= timedelta(0):
            return False
        if start is None:
            start = (real - HISTORY).replace(minute=0, second=0, microsecond=0)
            ledger.set_clock(connection, start)
    client_id = clients.named(DEMO_CLIENT)
    for hour in range(int((real - start) / ledger.HOUR)):
        _play(client_id, people, start, hour)
    with runtime().engine.begin() as connection:
        ledger.set_clock(connection, None)
    return True


def _lift_rate_limit() -> None:
    """The demo's key may be used at any rate, unless somebody gave it a limit."""
    if clients.limits_of(clients.named(DEMO_CLIENT)).rate_limit is None:
        clients.limit(DEMO_CLIENT, 0)


def _opening_balances() -> bool:
    """Run seed.sql; False when all it books was there."""
    with ledger.autocommit(runtime().engine).connect() as connection:  # the file's own transaction
        before = connection.scalar(text(BOOKED_BY_SEED))
        connection.exec_driver_sql(SEED.read_text().replace("%", "%%"))
        return bool(connection.scalar(text(BOOKED_BY_SEED)) != before)


def _play(client_id: int, people: list[users.Profile], start: datetime, hour: int) -> None:
    """An hour of the history: some wins, then the clock moves on and the hour is converted."""
    end = start + (hour + 1) * ledger.HOUR
    with runtime().engine.begin() as connection:
        if ledger.now(connection) >= end:
            return
        late = start + hour * ledger.HOUR + timedelta(minutes=50)
        if ledger.now(connection) < late:
            ledger.set_clock(connection, late)
    for person in people:
        for win in _wins(person, late, hour):
            wins.book(client_id, win)
    with runtime().engine.begin() as connection:
        ledger.set_clock(connection, end)
    conversions.convert_due(convert_now, wait=True)


def convert_now(hour: datetime, number: int) -> None:
    """Convert a chunk here instead of by a worker."""
    conversions.convert_chunk(hour, number, wait=True)


def _wins(person: users.Profile, at: datetime, hour: int) -> list[wins.WinRequest]:
    """What a person won in an hour: always the same, so that a second run finds the first one's."""
    rng = random.Random(f"{person.external_id}:{hour}")  # noqa: S311  (a demo, not a secret)
    return [
        wins.WinRequest(
            user_id=person.id,
            key=f"demo:{hour}:{n}",
            amount=rng.randrange(1, 10**18 // 2),
            occurred_at=at - timedelta(minutes=rng.randrange(1, 45)),
            game=rng.choice(GAMES),
            reference=f"round-{hour}-{n}",
        )
        for n in range(rng.choice((0, 0, 0, 1, 1, 2)))
    ]


def _secrets(file: Path, people: list[users.Profile]) -> bool:
    """Write new secrets unless the file is there: they are kept nowhere else in the clear."""
    if file.exists():
        return False
    content = {
        "api_key": clients.create_key(DEMO_CLIENT, clients.SCOPES),
        "users": [_sign_in(person) for person in people],
        "admin": _admin(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out, indent=2)
    draft.replace(file)
    return True


def _sign_in(person: users.Profile) -> dict[str, Any]:
    email = f"{person.external_id.removeprefix('demo-')}@players.example"
    return {
        "id": str(person.id),
        "external_id": person.external_id,
        "time_zone": person.time_zone,
        **_set_password(email, "user", person.id),
    }


def _admin() -> dict[str, str]:
    """The finance admin, who must have a second factor: with the secret for an authenticator app."""
    made = _set_password(ADMIN, "admin", None)
    with runtime().engine.connect() as connection:
        admin = connection.execute(select(SignIn).where(SignIn.email == ADMIN)).one()
    if admin.totp_since is not None:
        second_factor.remove(ADMIN)
    second_factor.begin(admin.id, made["password"])
    begun = second_factor.begun(admin.id)
    assert begun is not None
    second_factor.confirm(admin.id, 0, pyotp.TOTP(begun.secret).now())
    return {**made, "totp_secret": begun.secret}


def _set_password(email: str, role: str, user_id: int | None) -> dict[str, str]:
    """Give a sign-in a new password and tell it."""
    password = secrets.token_urlsafe(12)
    hashed = passwords.hash_of(password)
    with runtime().engine.begin() as connection:
        row = {
            "email": email,
            "password_hash": hashed,
            "role": role,
            "user_id": user_id,
            "name": None if user_id else "Grace",
            "created_at": ledger.now(connection),
        }
        new = insert(SignIn).values(row)
        sign_in = connection.scalar(
            new.on_conflict_do_update(
                index_elements=["email"], set_={"password_hash": hashed}
            ).returning(SignIn.id)
        )
        after = {"role": role, "user_id": user_id}
        audit.record(connection, "sign_in.made", "sign_in", sign_in, after=after)
    return {"email": email, "password": password}
