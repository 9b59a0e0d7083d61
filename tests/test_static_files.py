"""Static files: kept for ever under the address with their hash, asked for under any other."""

import os
import re
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

import config
from portal import create_app

FOR_EVER = "public, max-age=31536000, immutable"
STATIC = Path("portal/static")


@pytest.fixture(scope="module")
def app() -> Flask:
    """Files only: nothing connects."""
    return create_app(
        config.load({"DATABASE_URL": "postgresql://nowhere/x", "DREAMLAND_ENV": "testing"})
    )


def address(app: Flask, name: str, **values: str) -> str:
    with app.test_request_context():
        return url_for("static", filename=name, **values)


def files() -> list[str]:
    return [str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", files())
def test_every_file_has_an_address_under_which_it_is_kept(
    app: Flask, client: FlaskClient, name: str
) -> None:
    versioned = address(app, name)
    assert re.fullmatch(rf"/static/{re.escape(name)}\?v=[0-9a-f]{{16}}", versioned)
    answer = client.get(versioned)
    assert (answer.status_code, answer.data) == (200, (STATIC / name).read_bytes())
    assert answer.headers["Cache-Control"] == FOR_EVER


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef", "?w=1"])
def test_under_any_other_address_a_file_is_asked_for_each_time(
    client: FlaskClient, query: str
) -> None:
    answer = client.get(f"/static/portal.css{query}")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(
        f"/static/portal.css{query}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "no-cache"


def test_pages_name_their_files_by_their_hash(client: FlaskClient) -> None:
    for page in ("/docs", "/sign-in"):
        named = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(page).text)
        assert named
        assert all(re.search(r"\?v=[0-9a-f]{16}", each) for each in named)


def test_a_file_that_changed_has_another_address(app: Flask, tmp_path: Path) -> None:
    before = app.static_folder
    app.static_folder = str(tmp_path)
    file = tmp_path / "one.css"
    try:
        file.write_text("a {}")
        first = address(app, "one.css")
        file.write_text("b {}")
        os.utime(file, ns=(1, 1))
        second = address(app, "one.css")
        assert first != second
        assert app.test_client().get(first).headers["Cache-Control"] == "no-cache"
        assert app.test_client().get(second).text == "b {}"
    finally:
        app.static_folder = before


def test_each_file_says_what_it_is(client: FlaskClient) -> None:
    for name, media in (
        ("portal.css", "text/css; charset=utf-8"),
        ("portal.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml; charset=utf-8"),
    ):
        assert client.get(f"/static/{name}").headers["Content-Type"] == media


@pytest.mark.parametrize(
    "path",
    [
        *("nothing.css", "", ".", "..", "../config.py", "%2e%2e/config.py", "/etc/passwd"),
        *("..%2fconfig.py", "vendor", "portal.css/", "%00", "%ff.css", "x" * 5000),
    ],
)
def test_what_is_no_static_file_is_nowhere(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_an_address_of_no_file_or_with_a_version_stays_as_it_is(app: Flask) -> None:
    assert address(app, "nothing.css") == "/static/nothing.css"
    assert address(app, "portal.css", v="1") == "/static/portal.css?v=1"
