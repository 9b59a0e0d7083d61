"""Reading the audit log: newest first, narrowed, page by page."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from portal.services import audit, audit_log
from portal.services.audit import Actor
from portal.services.audit_log import Change, Event, Filters
from tests.factories import Books

pytestmark = pytest.mark.usefixtures("context")

ROOT = Actor("command_line", name="root@host")
STUDIO = Actor("client", name="studio")


def ids(filters: Filters, before: int | None = None, limit: int = 50) -> list[int]:
    return [event.id for event in audit_log.page(filters, before, limit)]


def sign_in(engine: Engine, email: str) -> int:
    with engine.begin() as connection:
        made = text(
            "INSERT INTO sign_ins (email, password_hash, role, created_at)"
            " VALUES (:email, 'x', 'admin', ledger.clock()) RETURNING id"
        )
        return int(connection.execute(made, {"email": email}).scalar_one())


def record(engine: Engine, by: Actor, action: str, target: str, target_id: object = None) -> int:
    with engine.begin() as connection:
        audit.record(connection, action, target, target_id, by=by)
        return int(connection.scalar(text("SELECT max(id) FROM audit_events")) or 0)


def one(engine: Engine, by: Actor, **fields: dict[str, object]) -> Event:
    with engine.begin() as connection:
        audit.record(connection, "client.limited", "client", 3, by=by, **fields)
    return audit_log.page(Filters(), None, 1)[0]


def test_records_come_newest_first_in_pages_that_neither_skip_nor_repeat(engine: Engine) -> None:
    made = [record(engine, ROOT, "key.created", "key", n) for n in range(7)]
    with engine.begin() as connection:  # one moment: the number tells them apart
        for n in range(3):
            audit.record(connection, "key.revoked", "key", n)
    seen: list[int] = []
    while page := ids(Filters(), seen[-1] if seen else None, limit=3):
        seen += page
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 10
    assert set(made) < set(seen)


def test_what_is_added_meanwhile_does_not_shift_an_older_page(engine: Engine) -> None:
    made = [record(engine, ROOT, "key.created", "key", n) for n in range(4)]
    first = ids(Filters(), limit=2)
    record(engine, ROOT, "key.created", "key", 9)
    assert ids(Filters(), first[-1], limit=2) == [made[1], made[0]]


def test_nothing_is_behind_a_record_that_is_not_there(engine: Engine) -> None:
    record(engine, ROOT, "key.created", "key", 1)
    assert ids(Filters(), 10**9) == []


def test_filters_narrow_by_who_action_target_and_time(engine: Engine, books: Books) -> None:
    ida = sign_in(engine, "ida@dreamland.example")
    person = Actor("person", sign_in_id=ida, role="admin")
    a = record(engine, person, "key.created", "key", 1)
    b = record(engine, ROOT, "key.revoked", "key", 1)
    later = books.set_clock(books.now() + timedelta(days=1))
    c = record(engine, STUDIO, "webhook_endpoint.made", "webhook_endpoint", 1)
    d = record(engine, person, "client.limited", "client", 2)
    for filters, wanted in (
        (Filters(), [d, c, b, a]),
        (Filters(who="Ida@Dreamland.example"), [d, a]),
        (Filters(who="root@host"), [b]),
        (Filters(who="studio"), [c]),
        (Filters(who="nobody"), []),
        (Filters(action="key.created"), [a]),
        (Filters(action="key"), [b, a]),
        (Filters(action="nothing"), []),
        (Filters(target="key"), [b, a]),
        (Filters(target="key", target_id="2"), []),
        (Filters(target_id="2"), [d]),
        (Filters(since=later), [d, c]),
        (Filters(until=later), [b, a]),
        (Filters(who="ida@dreamland.example", since=later, action="client"), [d]),
    ):
        assert ids(filters) == wanted, filters


def test_a_person_goes_by_the_e_mail_of_today_and_by_a_number_when_the_sign_in_is_gone(
    engine: Engine,
) -> None:
    ida = sign_in(engine, "ida@dreamland.example")
    person = Actor("person", sign_in_id=ida, role="admin")
    assert one(engine, person).who == "ida@dreamland.example"
    with engine.begin() as connection:
        connection.execute(text("UPDATE sign_ins SET email = 'ida@new.example'"))
    assert audit_log.page(Filters(), None, 1)[0].who == "ida@new.example"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM sign_ins"))
    assert audit_log.page(Filters(), None, 1)[0].who == f"sign-in {ida}"


def test_what_was_done_to_a_sign_in_names_its_e_mail_and_is_found_by_it(engine: Engine) -> None:
    ida, ben = (sign_in(engine, f"{name}@dreamland.example") for name in ("ida", "ben"))
    wanted = record(engine, audit.SYSTEM, "session.refused", "sign_in", ida)
    record(engine, audit.SYSTEM, "session.refused", "sign_in", ben)
    record(engine, audit.SYSTEM, "key.created", "key", ida)
    assert ids(Filters(target_id="Ida@dreamland.example")) == [wanted]
    assert ids(Filters(target_id="nobody@dreamland.example")) == []
    [event] = audit_log.page(Filters(target="sign_in", target_id=str(ida)), None, 9)
    assert event.to_what == "sign-in ida@dreamland.example"


def test_a_target_that_is_no_number_spoils_no_page(engine: Engine) -> None:
    for strange in ("x", "9" * 40, "", "-1"):
        record(engine, audit.SYSTEM, "session.refused", "sign_in", strange)
    assert len(ids(Filters(target="sign_in"))) == 4


def test_who_is_no_person_goes_by_the_name_it_had(engine: Engine) -> None:
    assert one(engine, ROOT).who == "root@host"
    assert one(engine, STUDIO).who == "studio"
    assert one(engine, audit.SYSTEM).who == "Dreamland"
    assert one(engine, Actor("person")).who == "somebody"


def test_an_event_says_what_changed_and_leaves_out_what_did_not(engine: Engine) -> None:
    event = one(
        engine,
        ROOT,
        before={"name": "studio", "games": None, "rate": 90, "open": True},
        after={"name": "studio", "games": ["maze", "rush"], "rate": 0, "open": False, "new": 1},
    )
    assert event.what == "Changed the limits of an API client"
    assert event.to_what == "API client studio"
    assert event.changes == [
        Change("games", None, "maze, rush"),
        Change("new", None, "1"),
        Change("open", "yes", "no"),
        Change("rate", "90", "0"),
    ]


def test_a_record_of_an_action_that_is_no_more_is_shown_as_it_is(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_events (at, actor, action, target)"
                " VALUES (ledger.clock(), 'system', 'tower.built', 'tower')"
            )
        )
    event = audit_log.page(Filters(), None, 1)[0]
    assert (event.what, event.to_what, event.changes) == ("tower.built", "tower", [])
