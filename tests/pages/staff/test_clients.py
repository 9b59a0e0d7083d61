"""API clients' pages: seen by all staff, changed by admins; a key is shown once and nowhere kept."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text
from werkzeug.test import TestResponse

from portal.services import audit_log, clients
from portal.services.audit_log import Event, Filters
from portal.services.webhooks import endpoints
from tests.factories import Books
from tests.pages.conftest import Browser, Make, Person
from tests.pages.reading import table

TOKEN = re.compile(r"dream_[\w-]{43}")
FORM_ID = re.compile(r'name="form_id"[^>]*value="([^"]+)"')


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def studio(app: Flask, request: pytest.FixtureRequest) -> Iterator[clients.ClientInfo]:
    """A client of the test's own."""
    with app.app_context():
        yield clients.add(f"studio <{request.node.name}>")[0]


def key_made(browser: Browser, page: str, **fields: Any) -> TestResponse:
    """What comes of a form for a key."""
    shown = browser.get(page).text
    found = FORM_ID.search(shown)
    assert found
    data = {"csrf_token": browser.token(page), "form_id": found.group(1), **fields}
    return browser.client.post(page, data=data)


def token_in(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    [token] = set(TOKEN.findall(answer.text))
    return str(token)


def log(app: Flask, **filters: Any) -> list[Event]:
    with app.app_context():
        return audit_log.page(Filters(**filters), None, 100)


def keys_of(app: Flask, client: clients.ClientInfo) -> list[clients.KeyInfo]:
    with app.app_context():
        return clients.list_keys(client.name)


def test_an_admin_makes_a_client_and_a_key_that_calls_the_api(
    browser: Browser, admin: Person, app: Flask
) -> None:
    made = browser.post("/clients/new", name=" Nova <b>Games</b> ")
    assert re.fullmatch(r"/clients/\d+", made.location)
    page = browser.get(made.location)
    assert "Nova &lt;b&gt;Games&lt;/b&gt; is made" in page.text
    assert "No key yet" in page.text
    shown = key_made(browser, f"{made.location}/keys/new", scopes=["read", "wins:write"])
    assert shown.headers["Cache-Control"] == "private, no-store"
    token = token_in(shown)
    given = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/assets", headers=given).status_code == 200
    page = browser.get(made.location)
    assert token not in page.text
    assert f"{token[:12]}…" in page.text
    assert "read, wins:write" in page.text
    told = [each.action for each in log(app, who=admin.email)]
    assert told[:2] == ["key.created", "client.made"]


@pytest.mark.usefixtures("admin")
def test_the_form_that_made_a_key_makes_no_other_and_shows_nothing(
    browser: Browser, app: Flask, studio: clients.ClientInfo
) -> None:
    """As when the page with the key is loaded anew: the browser sends its form once more."""
    page = f"/clients/{studio.id}/keys/new"
    sent = {
        "csrf_token": browser.token(page),
        "form_id": "a-form-of-22-characters"[:22],
        "scopes": "read",
    }
    token = token_in(browser.client.post(page, data=sent))
    again = browser.client.post(page, data=sent)
    assert again.location == f"/clients/{studio.id}"
    assert token not in again.text
    said = browser.get(again.location).text
    assert "made a key then: a key is shown only once" in said
    assert token not in said
    assert len(keys_of(app, studio)) == 1


@pytest.mark.usefixtures("admin")
def test_a_form_id_that_is_none_of_ours_makes_nothing(
    browser: Browser, app: Flask, studio: clients.ClientInfo
) -> None:
    page = f"/clients/{studio.id}/keys/new"
    for form_id in ("", "short", "x" * 10_000, "\0" * 22, "x" * 21 + "ü"):
        answer = browser.post(page, form_id=form_id, scopes="read")
        assert answer.status_code == 422
        assert "Load this page anew" in answer.text
    assert keys_of(app, studio) == []


@pytest.mark.usefixtures("admin")
def test_no_key_is_in_the_log_of_the_process_or_of_the_audit(
    browser: Browser, studio: clients.ClientInfo, caplog: pytest.LogCaptureFixture, engine: Engine
) -> None:
    token = token_in(key_made(browser, f"/clients/{studio.id}/keys/new", scopes="read"))
    assert token[12:] not in caplog.text
    with engine.connect() as connection:
        for table in ("audit_events", "api_keys", "sessions"):
            rows = connection.scalars(text(f"SELECT t::text FROM {table} t")).all()
            assert not [row for row in rows if token[12:] in row]


@pytest.mark.usefixtures("admin")
def test_scopes_say_what_they_allow_and_one_must_be_ticked(
    browser: Browser, app: Flask, studio: clients.ClientInfo
) -> None:
    page = f"/clients/{studio.id}/keys/new"
    shown = unescape(browser.get(page).text)
    for sentence in ("Make and change users.", "Run conversions, keep webhook endpoints."):
        assert sentence in shown
    assert "Tick at least one scope." in key_made(browser, page).text
    refused = key_made(browser, page, scopes=["read", "root"])
    assert refused.status_code == 422
    assert keys_of(app, studio) == []


def test_a_key_is_replaced_by_one_with_its_scopes_and_both_work_for_the_hours_asked_for(
    browser: Browser, admin: Person, app: Flask, studio: clients.ClientInfo, books: Books
) -> None:
    assert admin
    old = clients.create_key(studio.name, ["read", "admin"])
    [key] = keys_of(app, studio)
    page = f"/clients/{studio.id}/keys/{key.id}/rotation"
    form = browser.get(page).text
    assert re.findall(r'checked[^>]*value="([^"]+)"', form) == ["read", "admin"]
    for hours in ("x", "-1", "2161", "1.5", "9" * 5000):
        wrong = key_made(browser, page, scopes="read", overlap_hours=hours)
        assert wrong.status_code == 422, hours
        assert 'id="overlap_hours-error"' in wrong.text
    shown = key_made(browser, page, scopes=["read", "admin"], overlap_hours="2")
    new = token_in(shown)
    assert "The old one works until" in shown.text
    assert clients.caller_of(old)
    assert clients.caller_of(new)
    ends = {each.id: each.expires_at for each in keys_of(app, studio)}[key.id]
    assert ends
    assert timedelta(hours=1, minutes=59) < ends - books.now() <= timedelta(hours=2)
    assert "until" in browser.get(f"/clients/{studio.id}").text


@pytest.mark.usefixtures("admin")
def test_a_key_replaced_at_once_ends_and_sent_again_the_form_says_so(
    browser: Browser, app: Flask, studio: clients.ClientInfo
) -> None:
    clients.create_key(studio.name, ["read"])
    [key] = keys_of(app, studio)
    page = f"/clients/{studio.id}/keys/{key.id}/rotation"
    sent = {"csrf_token": browser.token(page), "form_id": "b" * 22, "scopes": "read"}
    sent["overlap_hours"] = "0"
    token_in(browser.client.post(page, data=sent))
    assert browser.client.post(page, data=sent).location == f"/clients/{studio.id}"
    assert len(keys_of(app, studio)) == 2
    refused = key_made(browser, page, scopes="read", overlap_hours="0")
    assert "does not work any more" in refused.text
    assert "Over" in browser.get(f"/clients/{studio.id}").text


def test_a_revoked_key_is_refused_by_the_api(
    browser: Browser, admin: Person, app: Flask, studio: clients.ClientInfo
) -> None:
    token = clients.create_key(studio.name, ["read"])
    [key] = keys_of(app, studio)
    given = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/assets", headers=given).status_code == 200
    page = f"/clients/{studio.id}/keys/{key.id}/revocation"
    assert "It was last used" in browser.get(page).text
    assert browser.post(page).location == f"/clients/{studio.id}"
    time.sleep(clients.CACHE_S)
    assert app.test_client().get("/api/v1/assets", headers=given).status_code == 401
    shown = browser.get(f"/clients/{studio.id}").text
    assert "Revoked" in shown
    assert f"keys/{key.id}/revocation" not in shown
    assert log(app, who=admin.email, action="key.revoked")[0].target_id == str(key.id)


@pytest.mark.usefixtures("admin")
def test_revoking_all_keys_stops_the_webhooks_and_the_page_tells_why(
    browser: Browser, studio: clients.ClientInfo
) -> None:
    clients.create_key(studio.name, ["read"])
    endpoints.make(studio.id, "http://127.0.0.1:9999/hook?key=s3cret", None, None, None)
    page = f"/clients/{studio.id}"
    assert "Enabled" in browser.get(page).text
    browser.post(f"{page}/revocation")
    shown = browser.get(page).text
    assert "all keys of its client were revoked" in shown
    assert "http://127.0.0.1:9999/hook?…" in shown
    assert "s3cret" not in shown


def test_limits_are_changed_and_lifted(
    browser: Browser, admin: Person, app: Flask, studio: clients.ClientInfo
) -> None:
    page = f"/clients/{studio.id}/limits"
    limits = {
        "games": "maze\r\n gem-rush \r\n\r\n",
        "networks": "192.0.2.0/24",
        "rate_limit": "6000",
    }
    assert browser.post(page, regions="global", **limits).location == f"/clients/{studio.id}"
    limited = clients.get(studio.id)
    assert limited
    assert (limited.games, limited.regions) == (["gem-rush", "maze"], ["global"])
    assert (limited.networks, limited.rate_limit) == (["192.0.2.0/24"], 6000)
    form = browser.get(page).text
    assert "gem-rush\nmaze" in form.replace("\r", "")
    assert re.search(r'checked[^>]*value="global"', form)
    [told] = log(app, who=admin.email, action="client.limited")
    assert "rate_limit: - → 6000" in [str(change) for change in told.changes]
    browser.post(page, games="", networks="", rate_limit="")
    lifted = clients.get(studio.id)
    assert lifted
    assert (lifted.games, lifted.regions, lifted.networks, lifted.rate_limit) == (None,) * 4
    browser.post(page, rate_limit="0")
    assert "any number" in browser.get(f"/clients/{studio.id}").text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("games", "x" * 201, "name games of 1 to 200 characters"),
        ("games", "x\0y", "name games of 1 to 200 characters"),
        ("games", "x" * 10_001, "longer than 10000"),
        ("networks", "192.0.2.1/24", "has host bits set"),
        ("networks", "everywhere", "write 192.0.2.0/24 or 2001:db8::/32"),
        ("networks", "::ffff:192.0.2.0/120", "is never seen"),
        ("regions", "mars", "not a valid choice"),
        ("rate_limit", "many", "Enter a whole number"),
        ("rate_limit", "1_000", "Enter a whole number"),
        ("rate_limit", "\u0663", "Enter a whole number"),
        ("rate_limit", "9" * 5_000, "Enter a whole number"),
        ("networks", "fe80::1%<b>/128", "no caller tells it"),
        ("rate_limit", "-1", "requests a minute are from 0"),
        ("rate_limit", "1" + "0" * 17, "requests a minute are from 0"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_a_limit_that_can_not_be_is_told_beside_its_field(
    browser: Browser, studio: clients.ClientInfo, field: str, value: str, says: str
) -> None:
    answer = browser.post(f"/clients/{studio.id}/limits", **{field: value})
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert error
    assert says.lower() in unescape(error.group(1)).lower()
    kept = clients.get(studio.id)
    assert kept
    assert (kept.games, kept.regions, kept.networks, kept.rate_limit) == (None,) * 4


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\0b", "two\nlines"])
@pytest.mark.usefixtures("admin")
def test_a_name_that_can_not_be_is_told_beside_it(browser: Browser, app: Flask, name: str) -> None:
    before = len(log(app, action="client.made"))
    answer = browser.post("/clients/new", name=name)
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert len(log(app, action="client.made")) == before


@pytest.mark.usefixtures("admin")
def test_a_name_that_is_taken_makes_no_other_client(
    browser: Browser, studio: clients.ClientInfo
) -> None:
    answer = browser.post("/clients/new", name=studio.name)
    assert answer.status_code == 422
    assert "There is a client of this name already." in answer.text


CHANGES = (
    *("/clients/new", "/clients/{0}/limits", "/clients/{0}/revocation", "/clients/{0}/keys/new"),
    *("/clients/{0}/keys/{1}/rotation", "/clients/{0}/keys/{1}/revocation"),
)


@pytest.mark.parametrize("role", ["viewer", "accountant", "approver"])
def test_others_look_and_change_nothing_and_what_they_try_is_in_the_log(
    browser: Browser, make_person: Make, app: Flask, studio: clients.ClientInfo, role: str
) -> None:
    clients.create_key(studio.name, ["read"])
    [key] = keys_of(app, studio)
    person = make_person(role)
    browser.enter(person, second_factor=True)
    for page in ("/clients", f"/clients/{studio.id}"):
        shown = browser.get(page)
        assert shown.status_code == 200
        assert not re.search(r"/(new|limits|rotation|revocation)\"", shown.text)
    token = browser.token("/account/name")
    for change in CHANGES:
        address = change.format(studio.id, key.id)
        fields = {"csrf_token": token, "name": "x", "scopes": "read", "overlap_hours": "0"}
        assert browser.client.post(address, data=fields).status_code == 403
        assert browser.get(address).status_code == 403
    refused = [each for each in log(app, who=person.email) if each.action == "access.refused"]
    assert len(refused) == 2 * len(CHANGES)
    assert clients.list_keys(studio.name) == [key]


@pytest.mark.parametrize(
    "address",
    [
        *("/clients/0", "/clients/x", "/clients/-1", "/clients/99999999999999999999"),
        *("/clients/999999", "/clients/%00", "/clients?after=x", "/clients?after=0"),
        *("/clients/999999/limits", "/clients/x/keys/new", "/clients.pdf", "/clients/{id}/keys/0"),
        *("/clients/{id}/keys/999999/rotation", "/clients/{id}/keys/x/revocation"),
        "/clients/{id}?before=x",
    ],
)
@pytest.mark.usefixtures("admin")
def test_what_can_be_no_address_is_not_there(
    browser: Browser, studio: clients.ClientInfo, address: str
) -> None:
    answer = browser.get(address.format(id=studio.id))
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


@pytest.mark.usefixtures("admin")
def test_a_key_of_another_client_is_not_there(
    browser: Browser, app: Flask, studio: clients.ClientInfo
) -> None:
    clients.create_key(f"{studio.name} too", ["read"])
    [key] = [each for each in clients.list_keys() if each.client == f"{studio.name} too"]
    assert browser.get(f"/clients/{studio.id}/keys/{key.id}/revocation").status_code == 404
    assert clients.caller_of("dream_" + "x" * 43) is None
    assert app


@pytest.mark.usefixtures("admin")
def test_clients_and_keys_are_listed_page_by_page(
    browser: Browser, studio: clients.ClientInfo
) -> None:
    for number in range(52):
        clients.add(f"leaf {number:02}")
        clients.create_key(studio.name, ["read"])
    seen: list[str] = []
    address: str | None = "/clients"
    while address:
        shown = browser.get(address).text
        seen += re.findall(r'data-label="Client"><a href="/clients/(\d+)"', shown)
        more = re.search(r'href="(/clients\?after=\d+)"[^>]*id="older"', shown)
        address = more.group(1) if more else None
        assert "First" in shown or len(seen) <= 50
    assert len(seen) == len(set(seen)) >= 53
    first = browser.get(f"/clients/{studio.id}").text
    assert first.count('data-label="Begins with"') == 50
    older = re.search(r'href="(/clients/\d+\?before=\d+)"', first)
    assert older
    assert browser.fragment(older.group(1)).text.count('data-label="Begins with"') == 2
    assert "There is no older key" in browser.get(f"/clients/{studio.id}?before=1").text


def test_the_file_has_every_key_and_no_key_in_it(
    browser: Browser, admin: Person, studio: clients.ClientInfo
) -> None:
    assert admin
    tokens = [clients.create_key(name, ["read", "admin"]) for name in (studio.name, "=cmd()")]
    answer = browser.get("/clients.csv")
    assert answer.status_code == 200
    assert "dreamland-api-keys.csv" in answer.headers["Content-Disposition"]
    rows = table(answer)
    begins = {row["begins"]: row for row in rows}
    assert len(rows) == len(clients.list_keys())
    assert begins[tokens[0][:12]]["scopes"] == "read admin"
    assert begins[tokens[1][:12]]["client"] == "'=cmd()"
    assert not any(token in answer.text for token in tokens)
    assert browser.get("/clients.xlsx").status_code == 200
