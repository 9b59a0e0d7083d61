"""Staff's own page: who works here, looked at by all, looked after by admins."""

import re

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal.services import audit_log
from portal.services.accounts import invitations, sessions
from portal.services.audit_log import Filters
from tests.pages.conftest import Browser, Make, Person
from tests.pages.reading import table

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def sam(make_person: Make) -> Person:
    return make_person("accountant", f"Sam {EVIL}")


def at(person: Person, page: str = "") -> str:
    return f"/staff/{person.sign_in_id}{page}"


def told(app: Flask, person: Person) -> list[tuple[str, str | None]]:
    """What the log says that somebody did, the newest first."""
    with app.app_context():
        events = audit_log.page(Filters(who=person.email), None, 50)
    return [(each.action, each.target_id) for each in events]


def test_everybody_who_works_here_is_listed_and_no_user(
    browser: Browser, admin: Person, sam: Person, make_person: Make
) -> None:
    ida, bare = make_person(name="Ida"), make_person("approver", "Bea", second_factor=False)
    page = browser.get("/staff").text
    assert admin.email in page
    assert sam.email in page
    assert ida.email not in page
    assert "Sam &lt;script&gt;" in page
    row = re.search(rf'{at(bare)}".*?</tr>', page, re.DOTALL)
    assert row
    assert '<span class="badge bad">Off</span>' in row.group()
    assert browser.get(f"/staff/{ida.sign_in_id}").status_code == 404


def test_a_role_is_given_and_holds_at_once(
    browser: Browser, admin: Person, sam: Person, app: Flask
) -> None:
    his = Browser(app)
    his.enter(sam, second_factor=True)
    assert his.get("/staff").status_code == 200
    form = browser.get(at(sam, "/role")).text
    assert re.findall(r'checked[^>]*value="(\w+)"', form) == ["accountant"]
    assert "May also let others in: API clients and staff." in form
    assert browser.post(at(sam, "/role"), role="admin").location == at(sam)
    page = browser.get(at(sam)).text
    assert "has the role admin now, and was signed out everywhere" in page
    assert "Role: admin" in page
    assert his.get("/staff").location.startswith("/sign-in")
    done = [action for action, _ in told(app, admin)]
    assert {"sign_in.role_changed", "session.ended"} <= set(done)


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("", "Choose a role."),
        ("user", "Not a valid choice"),
        ("root", "Not a valid choice"),
        ("accountant", "The role is accountant already."),
        ("x" * 10_000, "Not a valid choice"),
        ("\0", "Not a valid choice"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_a_role_that_can_not_be_is_told_beside_it(
    browser: Browser, sam: Person, role: str, says: str
) -> None:
    answer = browser.post(at(sam, "/role"), role=role)
    assert answer.status_code == 422
    assert says in answer.text


def test_an_admin_looks_after_everybody_but_themselves(
    browser: Browser, admin: Person, make_person: Make, app: Flask
) -> None:
    make_person("admin", "Another")
    page = browser.get(at(admin)).text
    assert "This is you." in page
    assert "Give another role" not in page
    assert "Sign out everywhere" not in page
    sent = {
        "/role": {"role": "viewer"},
        "/access": {"to": "off"},
        "/second-factor": {},
    }
    for each, fields in sent.items():
        assert "This is your own sign-in" in browser.get(at(admin, each)).text
        token = browser.token("/account/name")
        data = {"csrf_token": token, **fields}
        assert browser.client.post(at(admin, each), data=data).status_code == 422
    data = {"csrf_token": browser.token("/account/name"), "end": "all"}
    assert browser.client.post(at(admin, "/sessions"), data=data).location == at(admin)
    assert "this is your own: ask another admin" in browser.get(at(admin)).text.lower()
    assert [action for action, _ in told(app, admin)] == ["session.started"]
    assert browser.get("/staff").status_code == 200


def test_a_sign_in_is_disabled_and_enabled_again(
    browser: Browser, admin: Person, sam: Person, app: Flask
) -> None:
    his = Browser(app)
    his.enter(sam, second_factor=True)
    assert "Disable the sign-in" in browser.get(at(sam, "/access")).text
    assert browser.post(at(sam, "/access"), to="off").location == at(sam)
    assert his.get("/").location.startswith("/sign-in")
    assert "Disabled" in browser.get(at(sam)).text
    assert "Disabled" in browser.get("/staff").text
    again = browser.post(at(sam, "/access"), to="off")
    assert again.status_code == 422
    assert "is disabled already" in again.text
    assert browser.post(at(sam, "/access"), to="on").location == at(sam)
    assert "Can sign in" in browser.get(at(sam)).text
    assert browser.post(at(sam, "/access"), to="sideways").status_code == 422
    done = [action for action, target in told(app, admin) if target == str(sam.sign_in_id)]
    assert done == ["sign_in.enabled", "sign_in.disabled"]


def test_a_second_factor_that_was_lost_is_removed(
    browser: Browser, admin: Person, sam: Person, app: Flask
) -> None:
    assert "Remove it" in browser.get(at(sam)).text
    assert browser.post(at(sam, "/second-factor")).location == at(sam)
    page = browser.get(at(sam)).text
    assert "has no second factor any more" in page
    assert "Remove it" not in page
    assert browser.post(at(sam, "/second-factor")).status_code == 422
    assert ("second_factor.switched_off", str(sam.sign_in_id)) in told(app, admin)


@pytest.mark.usefixtures("admin")
def test_sessions_are_ended_one_by_one_or_all(browser: Browser, sam: Person, app: Flask) -> None:
    his = [Browser(app) for _ in range(3)]
    for each in his:
        each.enter(sam, second_factor=True)
    with app.app_context():
        first = sessions.listed(sam.sign_in_id)[0].id
    assert browser.post(at(sam, "/sessions"), at(sam), end=first).location == at(sam)
    assert sorted(each.get("/staff").status_code for each in his) == [200, 200, 303]
    assert browser.post(at(sam, "/sessions"), at(sam), end=first).status_code == 404
    for nonsense in ("", "0", "x", "9" * 30):
        assert browser.post(at(sam, "/sessions"), at(sam), end=nonsense).status_code == 404
    browser.post(at(sam, "/sessions"), at(sam), end="all")
    assert {each.get("/staff").status_code for each in his} == {303}
    assert "is signed out everywhere" in browser.get(at(sam)).text


@pytest.mark.usefixtures("admin")
def test_somebody_is_invited_and_the_invitation_taken_back(browser: Browser, app: Flask) -> None:
    fields = {"email": "Nina@example.com", "name": f"Nina {EVIL}", "role": "approver"}
    assert browser.post("/staff/invitation", **fields).location == "/staff"
    page = browser.get("/staff").text
    assert "The invitation is on its way to Nina@example.com." in page
    assert "nina@example.com" in page
    assert "<script>alert" not in page
    [withdrawal] = re.findall(r'action="(/staff/invitations/\d+/withdrawal)"', page)
    assert browser.post(withdrawal, "/staff").location == "/staff"
    page = browser.get("/staff").text
    assert "The invitation of nina@example.com can&#39;t be used any more." in page
    assert "None. Whoever is invited is here until they accept." in page
    browser.post(withdrawal, "/staff")
    assert "was not open any more" in browser.get("/staff").text
    with app.app_context():
        assert invitations.pending() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "a\0b@example.com"}, "email"),
        ({"email": "x" * 10_000 + "@example.com"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"role": "user"}, "role"),
        ({"role": ""}, "role"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_an_invitation_that_can_not_be_is_told_beside_its_field(
    browser: Browser, app: Flask, fields: dict[str, str], field: str
) -> None:
    good = {"email": "new@example.com", "name": "New", "role": "viewer"}
    answer = browser.post("/staff/invitation", **(good | fields))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    with app.app_context():
        assert invitations.pending() == []


@pytest.mark.usefixtures("admin")
def test_who_is_here_is_not_invited(browser: Browser, sam: Person) -> None:
    answer = browser.post("/staff/invitation", email=sam.email, name="Sam", role="viewer")
    assert "There is an account with this e-mail already." in answer.text


CHANGES = ("/role", "/access", "/second-factor", "/sessions")


@pytest.mark.parametrize("role", ["viewer", "accountant", "approver"])
def test_others_look_and_change_nothing_and_what_they_try_is_in_the_log(
    browser: Browser, make_person: Make, sam: Person, app: Flask, engine: Engine, role: str
) -> None:
    person = make_person(role)
    browser.enter(person, second_factor=True)
    for page in ("/staff", at(sam)):
        shown = browser.get(page)
        assert shown.status_code == 200
        assert not re.search(r"/(role|access|second-factor|sessions|invitation)\"><", shown.text)
        assert "Invite somebody" not in shown.text
    token = browser.token("/account/name")
    tried = [*(at(sam, change) for change in CHANGES), "/staff/invitation"]
    tried.append("/staff/invitations/1/withdrawal")
    for address in tried:
        fields = {"csrf_token": token, "role": "admin", "to": "off", "end": "all"}
        assert browser.client.post(address, data=fields).status_code == 403
    refused = [action for action, _ in told(app, person) if action == "access.refused"]
    assert len(refused) == len(tried)
    with engine.connect() as connection:
        query = text("SELECT role, disabled_at FROM sign_ins WHERE id = :id")
        assert connection.execute(query, {"id": sam.sign_in_id}).one() == ("accountant", None)


@pytest.mark.parametrize(
    "address",
    [
        *("/staff/0", "/staff/x", "/staff/999999", "/staff/%00", "/staff?after=x"),
        *("/staff/999999/role", "/staff/x/access", "/staff.pdf", "/staff/99999999999999999999"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_what_can_be_no_address_is_not_there(browser: Browser, address: str) -> None:
    assert browser.get(address).status_code == 404


@pytest.mark.usefixtures("admin")
def test_members_are_listed_page_by_page_and_all_are_in_the_file(
    browser: Browser, make_person: Make
) -> None:
    for number in range(51):
        make_person("viewer", f"Member {number:02}")
    make_person("viewer", "=HYPERLINK(1)")
    seen: list[str] = []
    address: str | None = "/staff"
    while address:
        page = browser.get(address).text
        seen += re.findall(r'<a href="/staff/(\d+)">', page)
        more = re.search(r'href="(/staff\?after=\d+)"[^>]*id="older"', page)
        address = more.group(1) if more else None
    assert len(seen) == len(set(seen)) > 52
    answer = browser.get("/staff.csv")
    rows = table(answer)
    assert sorted(row["id"] for row in rows) == sorted(seen)
    assert "'=HYPERLINK(1)" in {row["name"] for row in rows}
    assert browser.get("/staff.xlsx").status_code == 200
    assert "There is nobody behind" in browser.get(f"/staff?after={rows[-1]['id']}").text
