"""The audit log's page: who sees it, what it tells, its filters and its pages."""

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from portal.services import audit
from portal.services.audit import Actor
from tests.factories import Books
from tests.pages.conftest import Browser, Make, Person
from tests.pages.reading import table, words

Record = Callable[..., None]
ROOT = Actor("command_line", name="root@host")


@pytest.fixture
def viewer(make_person: Make, browser: Browser) -> Person:
    """A member of staff who may only look, whom the browser belongs to."""
    person = make_person("viewer")
    browser.enter(person, second_factor=True)
    return person


@pytest.fixture
def record(engine: Engine) -> Record:
    def recorded(action: str, target: str, target_id: object = None, **more: Any) -> None:
        with engine.begin() as connection:
            audit.record(connection, action, target, target_id, **{"by": ROOT, **more})

    return recorded


def rows(answer: TestResponse) -> list[str]:
    """The text of each row."""
    assert answer.status_code == 200, answer.text
    body = re.search(r"<tbody>(.*)</tbody>", answer.text, re.DOTALL)
    found = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.DOTALL) if body else []
    return [words(each) for each in found]


def link(answer: TestResponse, name: str) -> str:
    """Where a link of that name leads."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*{name}', answer.text, re.DOTALL)
    assert found, f"no link {name}"
    return unescape(found.group(1))


@pytest.mark.parametrize("role", ["viewer", "accountant", "approver", "admin"])
def test_all_staff_see_the_log(browser: Browser, make_person: Make, role: str) -> None:
    browser.enter(make_person(role), second_factor=True)
    answer = browser.get("/audit")
    assert answer.status_code == 200
    assert "Audit log" in answer.text
    assert "Signed in" in rows(answer)[0]


def test_a_user_is_refused_and_that_is_recorded(
    browser: Browser, ida: Person, make_person: Make
) -> None:
    assert browser.get("/audit").status_code == 403
    staff = Browser(browser.app)
    staff.enter(make_person("viewer"), second_factor=True)
    [refused] = rows(staff.get("/audit?action=access.refused"))
    assert ida.email in refused
    assert "Was refused a page page audit method GET page audit" in refused
    assert "127.0.0.1" in refused


@pytest.mark.usefixtures("ida")
def test_who_is_refused_again_and_again_fills_no_log(browser: Browser, make_person: Make) -> None:
    for _ in range(3):
        assert browser.get("/audit").status_code == 403
        assert browser.get("/jobs").status_code == 403
    staff = Browser(browser.app)
    staff.enter(make_person("viewer"), second_factor=True)
    assert len(rows(staff.get("/audit?action=access.refused"))) == 2


def test_a_stranger_is_sent_to_sign_in(browser: Browser) -> None:
    assert browser.get("/audit?who=ida").location == "/sign-in?next=/audit?who%3Dida"


@pytest.mark.usefixtures("viewer")
def test_a_record_tells_who_what_to_what_and_before_and_after(
    browser: Browser, record: Record
) -> None:
    record(
        "client.limited",
        "client",
        3,
        before={"name": "studio", "games": None, "rate_limit": 90},
        after={"name": "studio", "games": ["maze"], "rate_limit": None},
    )
    newest = rows(browser.get("/audit"))[0]
    assert "root@host command line Changed the limits of an API client API client studio" in newest
    assert "games maze rate limit 90 → became nothing" in newest
    assert "name" not in newest


@pytest.mark.usefixtures("viewer")
def test_what_people_wrote_shows_as_text(browser: Browser, record: Record) -> None:
    evil = "<script>alert(1)</script>\"'&"
    by = Actor("client", name=evil, address=evil, browser=evil, request_id=evil)
    record("client.made", "client", evil, after={evil: evil}, by=by)
    for answer in (browser.get("/audit"), browser.get("/audit", query_string={"who": evil})):
        assert "<script>alert" not in answer.text
        assert evil in rows(answer)[0]


@pytest.mark.usefixtures("viewer")
def test_filters_narrow_and_are_kept_in_the_form_and_the_address(
    browser: Browser, record: Record
) -> None:
    record("key.created", "key", 1)
    record("key.revoked", "key", 1)
    record("client.made", "client", 1, by=Actor("client", name="studio"))
    for query, shows in (
        ("who=root@host", 2),
        ("who=+root@host+", 2),
        ("who=studio", 1),
        ("action=key", 2),
        ("action=key.revoked", 1),
        ("target=key&id=1", 2),
        ("target=key&id=2", 0),
        ("since=2000-01-01&until=2999-12-31&who=studio", 1),
        ("until=2000-01-01", 0),
        ("since=2999-12-31", 0),
        ("who=&action=&target=&id=&since=&until=", 4),
    ):
        assert len(rows(browser.get(f"/audit?{query}"))) == shows, query
    kept = browser.get("/audit?who=studio&action=client.made&since=2020-02-02").text
    assert 'value="studio"' in kept
    assert re.search(r'<option selected value="client\.made">', kept)
    assert 'value="2020-02-02"' in kept
    assert "No record fits." in browser.get("/audit?who=nobody").text


@pytest.mark.usefixtures("viewer")
def test_a_record_leads_to_the_others_of_its_actor_and_of_its_target(
    browser: Browser, record: Record
) -> None:
    record("key.created", "key", 7)
    record("key.revoked", "key", 8)
    page = browser.get("/audit?action=key")
    assert len(rows(browser.get(link(page, "root@host")))) == 2
    assert len(rows(browser.get(link(page, "API key 7")))) == 1


@pytest.mark.usefixtures("viewer")
def test_older_records_are_a_link_away_with_the_filters_kept(
    browser: Browser, record: Record
) -> None:
    for number in range(120):
        record("key.created", "key", number)
    seen: list[str] = []
    answer = browser.get("/audit?action=key")
    while True:
        seen += rows(answer)
        if "Older " not in answer.text:
            break
        record("key.created", "key", "meanwhile")
        answer = browser.get(link(answer, "Older"))
        assert "Newest" in answer.text
    numbers = [int(re.search(r"API key (\d+)", row).group(1)) for row in seen]  # type: ignore[union-attr]
    assert numbers == list(range(119, -1, -1))
    assert "meanwhile" in rows(browser.get(link(answer, "Newest")))[0]


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=yesterday", "Not a valid date value."),
        ("until=2026-13-01", "Not a valid date value."),
        ("since=0001-01-01", "Choose a day from 2000 on."),
        ("until=9999-12-31", "Choose a day from 2000 on."),
        ("action=tower.built", "Not a valid choice."),
        ("target=tower", "Not a valid choice."),
        ("who=%00", "Nothing is called that."),
        ("id=a%0Ab", "Nothing is called that."),
        ("who=" + "x" * 301, "Field cannot be longer than 300 characters."),
    ],
)
def test_a_filter_that_makes_no_sense_has_its_error_beside_it(
    browser: Browser, query: str, sentence: str
) -> None:
    refused = browser.get(f"/audit?{query}")
    assert refused.status_code == 422
    assert sentence in refused.text
    assert "<tbody>" not in refused.text


@pytest.mark.usefixtures("viewer")
def test_what_is_no_record_to_begin_behind_is_nowhere(browser: Browser) -> None:
    for before in ("x", "-1", "0", "1.5", "9" * 30, "", "%00"):
        assert browser.get(f"/audit?before={before}").status_code == 404
    assert "There is nothing older." in browser.get("/audit?before=1").text


@pytest.mark.usefixtures("viewer")
def test_htmx_gets_the_list_alone_and_a_full_page_of_it_is_small(
    browser: Browser, record: Record
) -> None:
    for number in range(60):
        fields = {"client": "studio", "begins": f"dream_{number}", "scopes": ["read"]}
        by = Actor("client", name="studio", address="192.0.2.1", browser="Firefox", request_id="a1")
        record("key.created", "key", number, after=fields, by=by)
    fragment = browser.fragment("/audit?action=key")
    assert "<html" not in fragment.text
    assert fragment.text.lstrip().startswith('<div id="audit">')
    assert len(rows(fragment)) == 50
    sent = browser.fragment("/audit?action=key", **{"Accept-Encoding": "br"})
    assert sent.headers["Content-Encoding"] == "br"
    assert len(sent.data) < 10_000


def test_days_are_those_of_the_visitor_and_a_day_ends_with_its_last_moment(
    browser: Browser, viewer: Person, record: Record, books: Books, engine: Engine
) -> None:
    assert viewer.role == "viewer"
    record("key.created", "key", 1)
    with engine.connect() as connection:
        day = connection.scalar(text("SELECT max(at)::date FROM audit_events"))
    assert day == books.now().date()
    assert len(rows(browser.get(f"/audit?action=key&since={day}&until={day}"))) == 1


def test_the_page_asks_the_database_four_times_at_most(
    browser: Browser, viewer: Person, engine: Engine
) -> None:
    from sqlalchemy import event  # noqa: PLC0415 - the name is a record's elsewhere

    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    browser.get("/audit")
    event.listen(engine, "before_cursor_execute", note)
    try:
        browser.get(f"/audit?who={viewer.email}&action=session")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) <= 4, asked


@pytest.mark.usefixtures("viewer")
def test_the_csv_has_all_that_the_filters_show_and_its_download_is_recorded(
    browser: Browser, record: Record
) -> None:
    for number in range(70):
        record(
            "key.created", "key", number, after={"client": "studio", "scopes": ["read", "admin"]}
        )
    record(
        "client.made", "client", "=1+1", after={"name": "=cmd"}, by=Actor("client", name="@evil")
    )
    answer = browser.get(link(browser.get("/audit?action=key"), "CSV"))
    lines = table(answer)
    assert answer.text.startswith("# Dreamland: audit log, action key\r\n# Booked up to: ")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dreamland-audit.csv"'
    assert [line["target_id"] for line in lines] == [str(n) for n in range(69, -1, -1)]
    assert lines[0]["changes"] == "client: - → studio; scopes: - → read, admin"
    assert (lines[0]["actor"], lines[0]["who"]) == ("command_line", "root@host")
    exported, evil = table(browser.get("/audit.csv"))[1:3]
    assert (exported["action"], exported["changes"]) == ("audit.exported", "action: - → key")
    assert (evil["who"], evil["target_id"]) == ("'@evil", "'=1+1")
    assert browser.get("/audit.csv?action=tower").location == "/audit?action=tower"
    assert browser.get("/audit.pdf").status_code == 404


@pytest.mark.usefixtures("viewer")
def test_the_workbook_has_the_same_table(browser: Browser, record: Record) -> None:
    record("client.made", "client", "=1+1", after={"name": "=cmd"}, by=Actor("client", name="@e"))
    answer = browser.get(link(browser.get("/audit?action=client"), "XLSX"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dreamland-audit.xlsx"'
    sheet = load_workbook(BytesIO(answer.data)).active
    assert sheet
    _, _, _, _, names, *found = sheet.iter_rows(values_only=True)
    [made] = (dict(zip(names, row, strict=True)) for row in found)
    assert (made["who"], made["target_id"], made["to_what"]) == ("'@e", "'=1+1", "API client =cmd")


def test_an_e_mail_that_a_download_was_narrowed_to_is_not_kept(
    browser: Browser, viewer: Person
) -> None:
    assert browser.get(f"/audit.csv?who={viewer.email}&id={viewer.email}").status_code == 200
    [newest] = table(browser.get("/audit.csv?action=audit"))[1:]
    assert newest["changes"] == "id: - → p…@example.com; who: - → p…@example.com"
