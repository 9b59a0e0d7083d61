"""Compression: pages, the documentation and static files; never a call of the API."""

import gzip

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from portal.services import assets, clients

BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "text/html"}


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.mark.parametrize(
    "path", ["/sign-in", "/docs", "/openapi.json", "/static/portal.css", "/static/portal.js"]
)
def test_what_people_read_is_compressed_as_their_browser_takes_it(
    client: FlaskClient, path: str
) -> None:
    plain = client.get(path, headers={"Accept": "text/html"})
    assert "Content-Encoding" not in plain.headers
    small = client.get(path, headers=BROWSER)
    assert small.headers["Content-Encoding"] == "br"
    assert len(small.data) < len(plain.data) * 0.6
    assert int(small.headers["Content-Length"]) == len(small.data)
    old = client.get(path, headers={**BROWSER, "Accept-Encoding": "gzip"})
    assert old.headers["Content-Encoding"] == "gzip"
    for answer in (plain, small, old):
        assert "Accept-Encoding" in answer.headers["Vary"]
    if path != "/sign-in":  # whose form has a token of its own each time
        assert brotli.decompress(small.data) == gzip.decompress(old.data) == plain.data


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static/portal.css"])
def test_who_has_the_compressed_one_is_told_so(client: FlaskClient, path: str) -> None:
    first = client.get(path, headers=BROWSER)
    again = client.get(path, headers={**BROWSER, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    plain = client.get(path)
    assert plain.headers["ETag"] != first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304


def test_a_call_of_the_api_is_left_alone(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        key = clients.create_key("tests", list(clients.SCOPES))
        for name in ("OPAL", "RUBY", "TOPAZ"):  # a longer list than is sent as it is anyway
            assets.add(name, f"The finest {name}", 0)
    signed = {**BROWSER, "Authorization": f"Bearer {key}"}
    for path in ("/api/v1/assets", "/api/v1/nowhere", "/healthz"):
        answer = client.get(path, headers=signed)
        assert "Content-Encoding" not in answer.headers
        assert "Accept-Encoding" not in answer.headers.get("Vary", "")
    assert len(client.get("/api/v1/assets", headers=signed).data) > 500


def test_what_is_small_is_sent_as_it_is(client: FlaskClient) -> None:
    with client.get("/static/icon.svg", headers=BROWSER) as answer:
        assert ("Content-Encoding" in answer.headers) == (len(answer.data) >= 500)
