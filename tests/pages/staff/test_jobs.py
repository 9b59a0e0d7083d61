"""The jobs page: what waits, works, failed and recurs; retried by those who may; Redis away is said."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import URL

from config import Settings
from jobs import conversions
from jobs.queue import QUEUE, connection, enqueue, queue
from portal import create_app
from portal.pages.staff.jobs import cron_words
from portal.services import audit_log
from portal.services.audit_log import Filters
from tests.pages.conftest import HTMX, Browser, Make, Person
from tests.pages.reading import table


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def accountant(make_person: Make, browser: Browser) -> Person:
    person = make_person("accountant", "Sam")
    browser.enter(person, second_factor=True)
    return person


@pytest.fixture
def failed(app: Flask, settings: Settings, redis: "Redis[Any]") -> str:
    """A job that failed: no hour is called nonsense."""
    assert redis.dbsize() == 0
    enqueue(
        queue(settings.redis_url), conversions.convert_chunk, "<i>nonsense", 2, job_id="chunk-2"
    )
    run(app, settings)
    return "chunk-2"


def run(app: Flask, settings: Settings) -> None:
    """Work until nothing waits, in this process."""
    worker = SimpleWorker(
        [queue(settings.redis_url)],
        connection=connection(settings.redis_url),
        serializer=JSONSerializer,
    )
    with app.app_context():
        worker.work(burst=True, logging_level="CRITICAL")


def told(app: Flask, person: Person) -> list[tuple[str, str | None]]:
    with app.app_context():
        events = audit_log.page(Filters(who=person.email), None, 50)
    return [(each.action, each.target_id) for each in events if each.action != "session.started"]


@pytest.mark.usefixtures("accountant")
def test_the_page_says_what_failed_and_why_without_secrets(browser: Browser, failed: str) -> None:
    assert failed
    page = browser.get("/jobs").text
    assert "conversions.convert_chunk(&#39;&lt;i&gt;nonsense&#39;, 2)" in page
    assert "ValueError: time data" in page
    assert "jobs/conversions.py" in page
    assert "<i>" not in page
    part = browser.fragment("/jobs").text
    assert part.startswith('<div id="jobs"')
    assert 'hx-trigger="refresh from:body"' in part


@pytest.mark.usefixtures("accountant")
def test_an_empty_office_says_what_would_be_there(browser: Browser, redis: "Redis[Any]") -> None:
    assert redis.dbsize() == 0
    page = browser.get("/jobs").text
    assert "A job that fails is here, with the reason" in page
    assert "No worker runs" in page
    assert "The scheduler seems not to run" in page
    assert "every day at 03:30 UTC" in page
    assert "every minute" in page


def test_an_accountant_has_a_job_run_again_and_the_log_says_so(
    browser: Browser, accountant: Person, failed: str, app: Flask, settings: Settings
) -> None:
    assert browser.post(f"/jobs/{failed}/retry", "/jobs").location == "/jobs"
    page = browser.get("/jobs").text
    assert "will run again as soon as a worker is free" in page
    assert f"/jobs/{failed}/retry" not in page
    assert queue(settings.redis_url).job_ids == [failed]
    assert told(app, accountant) == [("job.retried", failed)]
    browser.post(f"/jobs/{failed}/retry", "/account/name")
    assert "This job is no failed one any more." in browser.get("/jobs").text
    run(app, settings)
    assert f"/jobs/{failed}/retry" in browser.get("/jobs").text


def test_a_failed_job_is_discarded(
    browser: Browser, accountant: Person, failed: str, app: Flask
) -> None:
    browser.post(f"/jobs/{failed}/discard", "/jobs")
    assert "is discarded." in browser.get("/jobs").text
    assert f"/jobs/{failed}" not in browser.get("/jobs").text
    assert told(app, accountant) == [("job.discarded", failed)]


def test_a_viewer_looks_and_what_is_tried_is_in_the_log(
    browser: Browser, make_person: Make, failed: str, app: Flask
) -> None:
    viewer = make_person("viewer")
    browser.enter(viewer, second_factor=True)
    page = browser.get("/jobs").text
    assert "ValueError: time data" in page
    assert "Retry" not in page
    token = browser.token("/account/name")
    for act in ("retry", "discard"):
        answer = browser.client.post(f"/jobs/{failed}/{act}", data={"csrf_token": token})
        assert answer.status_code == 403
    assert told(app, viewer) == [("access.refused", "job_discard"), ("access.refused", "job_retry")]
    assert "ValueError: time data" in browser.get("/jobs").text


@pytest.mark.parametrize("name", ["x" * 201, "a b", "%00", "*", "a:b", "ü"])
@pytest.mark.usefixtures("accountant")
def test_what_can_be_no_job_is_not_there(browser: Browser, redis: "Redis[Any]", name: str) -> None:
    assert redis.dbsize() == 0
    token = browser.token("/account/name")
    for act in ("retry", "discard"):
        answer = browser.client.post(f"/jobs/{name}/{act}", data={"csrf_token": token})
        assert answer.status_code == 404
    assert browser.get(f"/jobs?after={name}").status_code == 404
    assert browser.get("/jobs?after=no-such-job").status_code == 200


@pytest.mark.usefixtures("accountant")
def test_failed_jobs_are_listed_page_by_page_and_all_are_in_the_file(
    browser: Browser, app: Flask, settings: Settings, redis: "Redis[Any]"
) -> None:
    assert redis.dbsize() == 0
    for number in range(52):
        name = "=cmd" if number == 0 else f"hour-{number}"
        enqueue(
            queue(settings.redis_url), conversions.convert_chunk, name, 1, job_id=f"chunk-{number}"
        )
    run(app, settings)
    first = browser.get("/jobs").text
    shown = re.findall(r"/jobs/(chunk-\d+)/retry", first)
    assert shown == [f"chunk-{number}" for number in range(51, 1, -1)]
    older = re.search(r'href="(/jobs\?after=[\w-]+)"', first)
    assert older
    second = browser.get(older.group(1)).text
    assert re.findall(r"/jobs/(chunk-\d+)/retry", second) == ["chunk-1", "chunk-0"]
    assert f'hx-get="{older.group(1)}"' in second
    answer = browser.get("/jobs.csv")
    rows = table(answer)
    assert len(rows) == 52
    assert {row["queue"] for row in rows} == {QUEUE}
    assert all(row["reason"].startswith("ValueError: time data") for row in rows)
    assert browser.get("/jobs.xlsx").status_code == 200


@pytest.fixture
def silent() -> Iterator[str]:
    """A Redis that takes calls and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("how", ["away", "silent"])
def test_with_redis_away_the_page_says_so_and_changes_nothing(
    settings: Settings, make_person: Make, silent: str, how: str
) -> None:
    url = silent if how == "silent" else "redis://127.0.0.1:1/0"
    app = create_app(replace(settings, redis_url=url))
    browser, person = Browser(app), make_person("accountant")
    browser.enter(person, second_factor=True)
    began = time.monotonic()
    for get in (browser.get, browser.fragment):
        answer = get("/jobs")
        assert answer.status_code == 200
        assert (
            "Redis can&#39;t be reached" in answer.text or "Redis can't be reached" in answer.text
        )
        assert 'hx-trigger="refresh from:body"' in answer.text
    assert time.monotonic() - began < 6
    token = browser.token("/account/name")
    data = {"csrf_token": token}
    assert browser.client.post("/jobs/chunk-2/retry", data=data).location == "/jobs"
    assert "Redis is away: nothing is known of jobs." in browser.get("/jobs").text
    assert browser.get("/jobs.csv").status_code == 503
    assert told(app, person) == []
    app.extensions["dreamland"].engine.dispose()


def test_when_a_job_recurs_is_told_in_words_where_these_are_plain() -> None:
    assert cron_words("0 * * * *") == "every hour"
    assert cron_words("45 3 * * *") == "every day at 03:45 UTC"
    assert cron_words("*/5 1 * * 2") == "*/5 1 * * 2"


@pytest.mark.usefixtures("accountant")
def test_to_htmx_an_action_answers_with_where_to_go(browser: Browser, failed: str) -> None:
    data = {"csrf_token": browser.token("/jobs")}
    answer = browser.client.post(f"/jobs/{failed}/discard", data=data, headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/jobs"
