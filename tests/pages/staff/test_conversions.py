"""Conversions' pages: every hour with all that is known of it, run again, given a rate by hand."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, text

from config import Settings
from portal.ledger import amounts
from portal.ledger.clock import HOUR
from portal.pages import hours as addresses
from portal.services import conversions, runs
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.factories import convert_due as convert
from tests.jobs.hours import Hours
from tests.jobs.rate_server import RateServer, fixed
from tests.pages.conftest import HTMX
from tests.pages.reading import table, words
from tests.pages.staff.conftest import By

LAST_AUDIT = "SELECT action, target_id, after FROM audit_events ORDER BY id DESC LIMIT 1"


@pytest.fixture
def settings(settings: Settings, rates: RateServer) -> Settings:
    """Small chunks, and rates from a real server; one may move by a quarter."""
    return replace(
        settings,
        chunk_users=2,
        rate_source="http",
        rate_url=rates.url,
        rate_attempts=1,
        rate_max_move_percent=Decimal(25),
    )


@pytest.fixture
def hours(app: Flask, books: Books, watch: Watch) -> Hours:
    made = Hours(app, books, watch)
    made.open_users(3)
    return made


def convert_due(app: Flask) -> None:
    with app.app_context():
        convert()


def address(hour: Any) -> str:
    return f"/conversions/{addresses.name(hour)}"


def rows(page: str) -> list[str]:
    """The text of each hour of the table."""
    found = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    return [words(each) for each in found]


def audited(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(LAST_AUDIT)).one()


def test_every_hour_has_its_state_rate_sums_and_problem(
    app: Flask, hours: Hours, rates: RateServer, by: By
) -> None:
    first = hours.play()
    convert_due(app)
    rates.answer = fixed("0.5")
    waits = hours.play()
    convert_due(app)
    hours.play()
    viewer = by("viewer")
    newest, done = rows(viewer.get("/conversions").text)
    assert f"{waits:%a %-d %b %Y, %H}:00 UTC Waits for its rate" in newest
    assert "The rate moved from 0.15 to 0.5, more than 25 %" in newest
    run = hours.run(first)
    assert "Done 0.15 3 " in done
    assert f"Rate from {rates.url}, which answered" in done
    assert f"{run.residue.normalize():f}" in done
    assert re.search(
        r"<code title=\"SHA-256 ([0-9a-f]{12})[0-9a-f]{52}\">\1</code>",
        viewer.get("/conversions").text,
    )


def test_an_hour_that_is_due_and_not_begun_is_there_too(app: Flask, hours: Hours, by: By) -> None:
    viewer = by("viewer")
    assert "No hour was converted yet." in words(viewer.get("/conversions"))
    due, behind = hours.play(), hours.play()
    assert [row.split(" UTC ")[1][:3] for row in rows(viewer.get("/conversions").text)] == ["Due"]
    assert "Nobody has begun it" in words(viewer.get(address(due)))
    assert "comes first" in words(viewer.get(address(behind)))
    assert viewer.get(address(behind + HOUR)).status_code == 404
    assert len(rows(viewer.get("/conversions?state=due").text)) == 1
    assert not rows(viewer.get("/conversions?state=done").text)
    convert_due(app)
    assert "Due" not in rows(viewer.get("/conversions").text)[0]


def test_filters_narrow_and_pages_follow(app: Flask, hours: Hours, by: By) -> None:
    played = [hours.play() for _ in range(53)]
    convert_due(app)
    viewer = by("viewer")
    page = viewer.get("/conversions")
    assert len(rows(page.text)) == 50
    older = re.search(r'href="([^"]+before=[^"]+)"', page.text)
    assert older
    rest = viewer.get(unescape(older[1]))
    assert len(rows(rest.text)) == 3
    assert "Newest" in rest.text
    day = played[0].date()
    assert len(rows(viewer.get(f"/conversions?since={day}&until={day}").text)) == 14
    assert "No hour fits." in words(viewer.get("/conversions?until=2020-01-01"))
    assert "nothing older" in words(viewer.get("/conversions?before=2020-01-01T00:00Z"))
    answer = viewer.get(f"/conversions.csv?state=done&since={day}")
    told = table(answer)
    assert len(told) == 53
    assert told[-1]["hour"] == f"{played[0]:%Y-%m-%dT%H}:00:00Z"
    assert told[-1]["tokens"] == amounts.text(int(hours.run(played[0]).tokens), 18)
    assert len(told[-1]["payload_sha256"]) == 64


def test_a_filter_that_makes_no_sense_has_its_error_beside_it(by: By) -> None:
    viewer = by("viewer")
    for query, sentence in (
        ("state=tower", "Not a valid choice."),
        ("since=yesterday", "Enter a day, such as 2026-11-21."),
        ("since=2026-02-30", "Enter a day, such as 2026-11-21."),
        ("since=0001-01-01", "Enter a day of the years 2000 to 2199."),
        ("since=2026-11-21&until=2026-11-20", "The last day must not lie before the first."),
        ("state=" + "x" * 10_000, "Not a valid choice."),
        ("since=%00", "Enter a day, such as 2026-11-21."),
    ):
        refused = viewer.get(f"/conversions?{query}")
        assert refused.status_code == 422, query
        assert sentence in refused.text, query
        assert viewer.get(f"/conversions.csv?{query}").location == f"/conversions?{query}"


def test_what_is_no_hour_is_nowhere(by: By) -> None:
    viewer = by("viewer")
    for hour in (
        "1",
        "2026-11-21T17:30Z",
        "2026-11-21T17:00",
        "2026-11-21T24:00Z",
        "0001-01-01T00:00Z",
        "%00",
        "x" * 10_000,
    ):
        assert viewer.get(f"/conversions/{hour}").status_code == 404, hour
        assert viewer.get(f"/conversions?before={hour}").status_code == 404, hour


def test_a_run_under_way_tells_how_far_it_is_and_asks_again_until_it_is_done(
    app: Flask, hours: Hours, by: By
) -> None:
    hour = hours.play()
    with app.app_context():
        conversions.advance(hour, lambda *_: None)
        conversions.convert_chunk(hour, 1)
    viewer = by("viewer")
    page = viewer.fragment(address(hour))
    assert "1 of 2 chunks of users, 50 %, 2 users so far." in words(page)
    assert '<progress max="2" value="1"' in page.text
    assert f'hx-get="{address(hour)}" hx-trigger="every 2s"' in page.text
    assert "not yet" in words(page)
    with app.app_context():
        conversions.convert_chunk(hour, 2)
    done = viewer.fragment(address(hour))
    assert "hx-trigger" not in done.text
    assert "The hour is converted: 3 users" in words(done)
    assert "<progress" not in done.text
    whole = viewer.get(address(hour))
    assert "The hour is converted" not in whole.text
    hours.assert_exact(hour)


def test_the_page_of_an_hour_tells_all_of_its_rate_and_sums(
    app: Flask, hours: Hours, rates: RateServer, by: By
) -> None:
    hour = hours.play()
    convert_due(app)
    with app.app_context():
        run = runs.of_hour(hour)
    assert run
    page = words(by("viewer").get(address(hour)))
    assert f"SHA-256 of its answer {run.rate_hash}" in page
    assert f"Source {rates.url}" in page
    assert f"Residue {run.residue.normalize():f} × 10" in page
    assert "Chunk 1" not in page
    assert f"{hours.owners[0]}" in page


def test_chunks_are_shown_fifty_at_a_time(app: Flask, hours: Hours, by: By) -> None:
    hours.open_users(100)
    hour = hours.play()
    convert_due(app)
    viewer = by("viewer")
    page = viewer.get(address(hour))
    assert page.text.count('data-label="Chunk"') == 50
    following = re.search(r'href="([^"]+after=50)"', page.text)
    assert following
    assert viewer.get(following[1]).text.count('data-label="Chunk"') == 2
    assert viewer.get(f"{address(hour)}?after=x").status_code == 404


def test_an_accountant_has_an_hour_run_and_it_is_in_the_log(
    app: Flask, hours: Hours, by: By, engine: Engine, redis: "Redis[Any]"
) -> None:
    hour = hours.play()
    accountant = by("accountant")
    answer = accountant.post(address(hour))
    assert (answer.status_code, answer.location) == (303, address(hour))
    assert "A worker was asked to convert this hour." in accountant.get(address(hour)).text
    assert redis.llen("rq:queue:dreamland") == 1
    assert audited(engine).action == "conversion.asked"
    convert_due(app)
    hours.assert_exact(hour)


def test_running_a_done_hour_again_changes_nothing_and_says_so(
    app: Flask, hours: Hours, by: By, redis: "Redis[Any]"
) -> None:
    hour = hours.play()
    convert_due(app)
    before = hours.everything()
    accountant = by("accountant")
    assert accountant.post(address(hour)).status_code == 303
    assert "converted already. Nothing was changed." in accountant.get(address(hour)).text
    assert hours.everything() == before
    assert redis.dbsize() == 0


def test_an_hour_out_of_order_is_refused_in_plain_words(
    hours: Hours, by: By, redis: "Redis[Any]"
) -> None:
    first, second = hours.play(), hours.play()
    accountant = by("accountant")
    refused = accountant.post(address(second), page=address(first))
    assert refused.status_code == 422
    assert "hours are converted in order, once they are over" in words(refused)
    assert f"{first:%H}:00 UTC comes first" in words(refused)
    running = accountant.post(address(second + HOUR), page=address(first))
    assert running.status_code in {409, 422}
    assert "in order" in words(running)
    assert redis.dbsize() == 0


def test_who_may_only_look_is_refused_and_that_is_in_the_log(
    hours: Hours, by: By, engine: Engine
) -> None:
    hour = hours.play()
    viewer = by("viewer")
    page = viewer.get(address(hour)).text
    assert "Convert now" not in page
    token = viewer.token("/conversions")
    for path in (address(hour), f"{address(hour)}/rate"):
        refused = viewer.client.post(path, data={"csrf_token": token})
        assert refused.status_code == 403
        assert audited(engine).action == "access.refused"


@pytest.fixture
def waiting(app: Flask, hours: Hours, rates: RateServer) -> Any:
    """An hour that waits: its rate moved from 0.15 to 0.21."""
    hours.play()
    convert_due(app)
    rates.answer = fixed("0.21")
    hour = hours.play()
    convert_due(app)
    return hour


def test_a_viewer_and_an_accountant_see_why_an_hour_waits_and_an_approver_what_to_do(
    waiting: Any, by: By
) -> None:
    why = "The rate moved from 0.15 to 0.21, more than 25 %"
    for role in ("viewer", "accountant"):
        page = by(role).get(address(waiting))
        assert why.lower() in words(page).lower()
        assert "Set the rate by hand" not in page.text
        assert by(role).get(f"{address(waiting)}/rate").status_code == 403
    assert "Set the rate by hand" in by("approver").get(address(waiting)).text


def test_a_rate_that_moves_far_is_asked_for_twice_then_set_and_the_hour_goes_on(
    app: Flask, hours: Hours, waiting: Any, by: By, engine: Engine, redis: "Redis[Any]"
) -> None:
    approver = by("approver")
    path = f"{address(waiting)}/rate"
    shown = words(approver.get(path))
    assert "The rate before 0.15 USD" in shown
    assert "25 %" in shown
    assert "I have checked it" not in shown
    said = {"rate": "0.21", "reason": "The market moved"}
    asked = approver.post(path, **said)
    assert asked.status_code == 422
    assert "moves the rate by +40.00 %, from 0.15 to 0.21" in words(asked)
    other = approver.post(path, **said | {"rate": "0.3"}, seen="0.21", confirmed="y")
    assert other.status_code == 422, "what was confirmed is another rate"
    assert "+100.00 %" in words(other)
    assert hours.rate(waiting) is None
    answer = approver.post(path, **said, seen="0.21", confirmed="y")
    assert (answer.status_code, answer.location) == (303, address(waiting))
    then = approver.get(address(waiting)).text
    assert "rate is set" in then
    assert "The rate is there: a worker goes on with it" in then
    assert "Set the rate by hand" not in then
    found = audited(engine)
    assert (found.action, found.after) == (
        "rate.set",
        {"rate": "0.21", "reason": "The market moved"},
    )
    assert redis.llen("rq:queue:dreamland") == 2
    convert_due(app)
    hours.assert_exact(waiting)
    assert "Set by hand because The market moved" in words(approver.get(address(waiting)))
    late = approver.post(path, page=address(waiting), **said)
    assert late.location == address(waiting)


def test_a_rate_within_its_limits_needs_no_second_word(
    hours: Hours, waiting: Any, by: By, redis: "Redis[Any]"
) -> None:
    answer = by("admin").post(f"{address(waiting)}/rate", rate=" 0.16 ", reason="As agreed")
    assert answer.status_code == 303
    assert hours.rate(waiting)
    assert redis.ping()


def test_a_rate_that_makes_no_sense_is_refused_beside_its_field(
    hours: Hours, waiting: Any, by: By
) -> None:
    approver, path = by("approver"), f"{address(waiting)}/rate"
    for rate, reason, sentence in (
        ("", "why", "Enter a rate, such as 0.15."),
        ("0.15", "", "Say why it is right."),
        ("0.15", "  ", "Say why it is right."),
        ("0.15", "x" * 301, "Field cannot be longer than 300 characters."),
        ("0.15", "a\0b", "Write plain text."),
        ("-1", "why", "A rate must be a positive decimal"),
        ("0", "why", "A rate must be a positive decimal"),
        ("1e999", "why", "A rate must be a positive decimal"),
        ("NaN", "why", "A rate must be a positive decimal"),
        ("0,15", "why", "A rate must be a positive decimal"),
        ("1" * 10_000, "why", "A rate must be a positive decimal"),
        ("0.1234567890123456789", "why", "A rate has at most 18 decimals"),
    ):
        refused = approver.post(path, rate=rate, reason=reason)
        assert refused.status_code == 422, rate
        assert sentence in words(refused), rate
    assert hours.rate(waiting) is None


def test_an_hour_that_does_not_wait_takes_no_rate(app: Flask, hours: Hours, by: By) -> None:
    hour = hours.play()
    approver = by("approver")
    assert approver.get(f"{address(hour)}/rate").status_code == 404
    convert_due(app)
    assert approver.get(f"{address(hour)}/rate").location == address(hour)
    assert "does not wait for a rate" in approver.get(address(hour)).text
    assert hours.run(hour).state == "done"


def test_rates_are_a_line_and_a_table_by_hour_or_by_day(
    app: Flask, hours: Hours, rates: RateServer, by: By
) -> None:
    viewer = by("viewer")
    assert "No hour of these days has a rate" in words(viewer.get("/rates"))
    for value in ("0.15", "0.16", "0.14"):
        rates.answer = fixed(value)
        hours.play()
        convert_due(app)
    by_hour = viewer.get("/rates?days=7")
    assert by_hour.text.count('class="dot"') == 3
    assert "between 0.14 and 0.16 USD" in by_hour.text
    assert by_hour.text.count('data-label="Hour"') == 3
    by_day = viewer.get("/rates")
    assert by_day.text.count('class="dot"') == 1
    assert "0.14 0.14 0.16 3" in words(by_day)
    for days in ("1", "x", "", "9" * 30, "-7"):
        assert viewer.get(f"/rates?days={days}").status_code == 404
    for query, count in (("", 3), ("?days=7", 3)):
        lines = viewer.get(f"/rates.csv{query}").text.splitlines()
        assert len([line for line in lines if rates.url in line]) == count
    assert viewer.fragment("/rates?days=90").text.lstrip().startswith('<div id="rates">')


def test_without_redis_nothing_is_asked_for_and_no_rate_is_set(
    app: Flask, hours: Hours, waiting: Any, by: By, engine: Engine
) -> None:
    by_approver = by("approver")
    path = f"{address(waiting)}/rate"
    tokens = by_approver.token(path)
    away = replace(app.extensions["dreamland"].settings, redis_url="redis://127.0.0.1:1/0")
    made = app.extensions["dreamland"]
    app.extensions["dreamland"] = replace(made, settings=away)
    fields = {"csrf_token": tokens, "rate": "0.16", "reason": "As agreed"}
    answers = (
        by_approver.client.post(path, data=fields),
        by_approver.client.post(address(waiting), data=fields),
        by_approver.client.post(address(waiting), data=fields, headers=HTMX),
    )
    for answer in answers:
        assert answer.status_code == 503
        assert "Nothing was lost" in words(answer) or "try again" in words(answer).lower()
    assert hours.rate(waiting) is None
    assert audited(engine).action not in {"rate.set", "conversion.asked"}
