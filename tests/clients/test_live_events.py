"""The client with the server's own feed, imports and webhook endpoints."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dreamland_client import (
    Dreamland,
    NewWin,
    NotFound,
    Problem,
    WalletChanged,
    Win,
    verify,
)
from tests.clients.conftest import Live
from tests.clients.scripted import Scripted, says
from tests.concurrency.programs import eventually

pytestmark = pytest.mark.usefixtures("at_noon")


def test_what_was_booked_is_in_the_feed_in_order(live: Live, client: Dreamland) -> None:
    user, now = live.user(client), live.books.now()
    wins = [NewWin(user, "0.01", now, "maze", f"r{n}", f"k{n}") for n in range(5)]
    client.book_wins(wins)
    client.bonus(user, "GOLD_COIN", amount=7, reference="b")
    client.spend(user, "GOLD_COIN", amount=3, reference="s")

    def mine() -> list[object]:
        found = [each for each in client.events() if each.id.startswith(f"{user}-")]
        return found if len(found) == 7 else []

    events = eventually("all is in the feed", mine)
    assert [event.id for event in events] == [f"{user}-{n}" for n in range(1, 8)]  # type: ignore[attr-defined]
    data = [event.data for event in events]  # type: ignore[attr-defined]
    assert [each.reference for each in data[:5] if isinstance(each, Win)] == [
        f"r{n}" for n in range(5)
    ]
    assert isinstance(data[6], WalletChanged)
    assert (data[6].kind, data[6].amount, data[6].balance) == ("spend", Decimal(-3), Decimal(4))
    after = events[-1].cursor  # type: ignore[attr-defined]
    assert after is not None
    assert list(client.events(after=after)) == []
    wanted = client.event_page(types=["win.booked"], since=now - timedelta(hours=1))
    assert {event.type for event in wanted.events} == {"win.booked"}


@pytest.mark.usefixtures("worker")
def test_an_import_is_booked_and_its_refused_lines_are_reported(
    live: Live, client: Dreamland, tmp_path: Path
) -> None:
    user, long_ago = live.user(client), live.books.now() - timedelta(days=20)
    wins = [NewWin(user, "0.01", long_ago, "maze", f"r{n}", f"i{n}") for n in range(20)]
    too_much = replace(wins[0], amount="6", idempotency_key="over")
    job = client.import_wins([*wins, too_much])
    done = client.wait_for_import(job.id, timeout=60, poll_s=0.05)
    assert (done.lines, done.posted, done.rejected) == (21, 20, 1)
    report = client.import_report(job.id).decode().splitlines()
    assert report[0] == "line,code,detail,param,content"
    assert report[1].startswith("21,daily_limit_exceeded")
    assert client.import_wins([*wins, too_much]).id == job.id, "the same content, the same import"
    assert next(each.id for each in client.imports()) == job.id
    assert client.get_import(job.id).is_done

    file = tmp_path / "wins.csv"
    header = "user_id,idempotency_key,amount,occurred_at,game,reference"
    file.write_text(f"{header}\n{user},csv-1,0.01,{long_ago.isoformat()},maze,r\n")
    assert (
        client.wait_for_import(client.start_import(file, "csv").id, timeout=60, poll_s=0.05).posted
        == 1
    )
    with pytest.raises(NotFound):
        client.get_import("999999")


def test_a_webhook_endpoint_is_made_changed_rotated_and_removed(
    live: Live, client: Dreamland
) -> None:
    made = client.create_webhook_endpoint(
        "http://127.0.0.1:65000/hook", events=["win.booked"], description="a test's"
    )
    endpoint_id = made.endpoint.endpoint_id
    assert made.secret.startswith("whsec_")
    assert made.endpoint.events == ("win.booked",)
    assert endpoint_id in [each.endpoint_id for each in client.webhook_endpoints()]
    changed = client.change_webhook_endpoint(endpoint_id, events=None, state="disabled")
    assert (changed.events, changed.state) == (None, "disabled")
    assert client.rotate_webhook_secret(endpoint_id).secret != made.secret
    assert client.webhook_endpoint(endpoint_id).old_secret_until is not None
    assert list(client.webhook_stalls(endpoint_id)) == []
    client.replay_webhooks(endpoint_id, since=live.books.now() - timedelta(hours=1))
    with pytest.raises(ValueError, match="since a time, or of one event"):
        client.replay_webhooks(endpoint_id)
    with pytest.raises(Problem):
        client.create_webhook_endpoint("not an address")
    client.delete_webhook_endpoint(endpoint_id)
    with pytest.raises(NotFound):
        client.webhook_endpoint(endpoint_id)


def test_what_the_server_sends_is_verified_with_either_secret_of_a_rotation(
    live: Live, client: Dreamland, scripted: Scripted
) -> None:
    scripted.will(says(204, b""))
    user = live.user(client)
    live.programs.start("-m", "jobs.webhook_worker")
    made = client.create_webhook_endpoint(f"{scripted.base}/hook", since=live.books.now())
    rotated = client.rotate_webhook_secret(made.endpoint.endpoint_id)
    client.bonus(user, "GOLD_COIN", amount=7, reference="b")
    eventually("it is delivered", lambda: scripted.asked, seconds=120)
    [asked, *_] = scripted.asked
    for secrets in (made.secret, rotated.secret, [rotated.secret, made.secret]):
        event = verify(asked.body, asked.headers, secrets)
        assert event.id == f"{user}-1"
        assert isinstance(event.data, WalletChanged)
        assert event.data.available == 7
    client.delete_webhook_endpoint(made.endpoint.endpoint_id)
