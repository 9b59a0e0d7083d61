"""What is kept of a person: the download, and the wish to be deleted."""

import json
from contextlib import closing

import brotli
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.factories import Books
from tests.pages.conftest import PASSWORD, Browser, Make, Person

DATA, DELETION = "/account/data", "/account/deletion"


def download(browser: Browser) -> TestResponse:
    """Ask for the file and read it."""
    sent = browser.post(DATA)
    assert sent.data
    sent.close()
    return sent


def test_the_download_is_a_file_of_everything(
    browser: Browser, ida: Person, engine: Engine
) -> None:
    assert ida.user_id
    Books(engine).win(ida.user_id, "1.5")
    sent = download(browser)
    assert sent.status_code == 200
    assert sent.mimetype == "application/json"
    assert sent.headers["Content-Disposition"] == "attachment; filename=dreamland.json"
    assert sent.headers["Cache-Control"] == "private, no-store"
    made = json.loads(sent.data)
    assert made["profile"]["user_id"] == str(ida.user_id)
    assert [entry["kind"] for entry in made["entries"]] == ["win"]
    assert int(sent.headers["Content-Length"]) == len(sent.data)


def test_compressed_on_the_way_it_is_the_same(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    token = browser.token(DATA)
    with closing(
        browser.client.post(DATA, data={"csrf_token": token}, headers={"Accept-Encoding": "br"})
    ) as sent:
        assert sent.headers["Content-Encoding"] == "br"
        made = json.loads(brotli.decompress(sent.data))
    assert made["profile"]["user_id"] == str(ida.user_id)


def test_nobody_gets_anothers(browser: Browser, ida: Person, make_person: Make, app: Flask) -> None:
    otto = make_person(name="Otto")
    his = Browser(app)
    his.enter(otto)
    assert json.loads(download(his).data)["profile"]["user_id"] == str(otto.user_id)
    assert json.loads(download(browser).data)["profile"]["user_id"] == str(ida.user_id)


def test_a_download_too_many_has_to_wait(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    assert {download(browser).status_code for _ in range(10)} == {200}
    refused = browser.post(DATA)
    assert refused.status_code == 429
    assert "try again in 60 minutes" in refused.text


def test_a_download_without_the_token_of_the_page_is_refused(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    assert browser.client.post(DATA).status_code == 400


def test_staff_have_one_too(browser: Browser, make_person: Make) -> None:
    browser.enter(make_person("viewer"))
    assert "wallets" not in browser.get(DATA).text
    assert json.loads(download(browser).data)["sign_in"]["role"] == "viewer"


def test_a_deletion_is_asked_for_by_the_password_and_taken_back(
    browser: Browser, ida: Person
) -> None:
    assert ida.user_id
    refused = browser.post(DELETION, current_password="wrong")
    assert refused.status_code == 422
    assert "This is not your password." in refused.text
    assert browser.post(DELETION, current_password=PASSWORD).location == DELETION
    page = browser.get(DELETION).text
    assert "Your account is to be deleted" in page
    assert "You asked for it on <time" in page
    assert 'type="password"' not in page
    assert browser.post(f"{DELETION}/withdrawal", page=DELETION).location == DELETION
    page = browser.get(DELETION).text
    assert "Your account stays." in page
    assert 'type="password"' in page


def test_what_was_taken_back_before_is_said_so(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    assert browser.post(f"{DELETION}/withdrawal", page=DELETION).location == DELETION
    assert "There was no wish to take back." in browser.get(DELETION).text


def test_a_second_wish_says_that_there_is_one(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    token = browser.token(DELETION)
    data = {"csrf_token": token, "current_password": PASSWORD}
    assert browser.client.post(DELETION, data=data).status_code == 303
    again = browser.client.post(DELETION, data=data)
    assert again.status_code == 422
