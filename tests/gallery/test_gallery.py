"""The gallery shows every page, and the pictures are those that its document names."""

import pytest

import config
from gallery import camera, document
from gallery.pages import NO_PAGES, PAGES
from portal import create_app
from portal.pages.rules import RULES
from tests.house.source import ROOT

DOCS = ROOT / "docs"
MOST_BYTES = 36_000
"""Of a picture, on average: all of them are cloned with the code."""


@pytest.fixture(scope="module")
def pages() -> set[str]:
    """Endpoints that a person opens; nothing connects."""
    app = create_app(
        config.load({"DATABASE_URL": "postgresql://nowhere/x", "DREAMLAND_ENV": "testing"})
    )
    return {
        rule.endpoint.removeprefix("pages.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint in RULES and "GET" in (rule.methods or ())
    }


def test_every_page_has_a_picture_and_no_other(pages: set[str]) -> None:
    shown = {page.endpoint for page in PAGES}
    assert (shown - {""}) | set(NO_PAGES) == pages
    assert not shown & set(NO_PAGES)


def test_no_two_pictures_have_one_name_or_say_the_same() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)
    assert len({page.about for page in PAGES}) == len(PAGES)


def test_the_document_is_of_the_table() -> None:
    assert (DOCS / "gallery.md").read_text() == document.text(PAGES), "run bin/gallery"


def test_the_pictures_are_those_of_the_table_and_not_too_large() -> None:
    named = {document.file(page, str(view)) for page in PAGES for view in camera.VIEWS}
    there = {str(file.relative_to(DOCS)) for file in (DOCS / "gallery").iterdir()}
    assert there == named, "run bin/gallery"
    assert sum((DOCS / name).stat().st_size for name in named) < MOST_BYTES * len(named)
