"""Files of staff in a real Chromium, with scripts and without: journals in every format, every table's two files."""

import csv
from datetime import UTC
from itertools import islice
from pathlib import Path
from zipfile import is_zipfile

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Download, Page, expect

from tests.browser.checks import axe, scrolls_sideways
from tests.browser.looks import PHONE, PLACES, Look
from tests.browser.site import Site
from tests.factories import convert_due
from tests.services.journals import programs

LOOKS = [PHONE, Look(script=False)]
FORMATS = {"CSV": "csv", "XLSX": "xlsx", "Beancount": "beancount", "hledger": "journal"}
ABOVE = 4
TABLES = (
    *("/trial-balance", "/accounts/DREAM/TOKENS_INVENTORY", "/conversions", "/rates", "/users"),
    *("/users/{user}/entries", "/users/{user}/days", "/users/{user}/wallets/GOLD_COIN"),
    *("/clients", "/staff", "/audit"),
)
"""Pages with a table that has files."""


@pytest.fixture
def user(site: Site, page: Page) -> int:
    """A user with tokens that were converted and Gold Coins; the page is a viewer's."""
    site.people.enter(page.context, site.people.staff("viewer"))
    user_id = site.people.user("Ida").user_id
    site.books.win(user_id, "1.5")
    site.books.top_up(user_id, "GOLD_COIN", "500")
    site.books.next_hour()
    with site.app.app_context():
        convert_due()
    return user_id


def read(file: Path) -> list[tuple[str, ...]]:
    """The rows of a table's file, below its stamp, its header first."""
    if is_zipfile(file):
        rows = load_workbook(file).worksheets[0].iter_rows(values_only=True)
        found = [tuple("" if cell is None else str(cell) for cell in row) for row in rows]
    else:
        with file.open(encoding="utf-8", newline="") as lines:
            found = [tuple(row) for row in csv.reader(lines)]
    assert found[0][0].startswith("# Dreamland: ")
    return list(islice(found, ABOVE, None))


def kept(download: Download, directory: Path) -> Path:
    """The file as the browser keeps it, whole."""
    assert download.failure() is None
    file = directory / download.suggested_filename
    download.save_as(file)
    return file


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_ledger_is_downloaded_in_every_format(
    page: Page, site: Site, user: int, look: Look, tmp_path: Path
) -> None:
    assert look
    today = site.books.now().astimezone(UTC).date().isoformat()
    page.goto("/journals")
    files = {}
    for name, ending in FORMATS.items():
        page.get_by_label("Ledger").select_option("GOLD_COIN")
        page.get_by_label("Format").select_option(label=name)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        files[ending] = kept(download.value, tmp_path)
        assert files[ending].name.startswith("dreamland-GOLD_COIN-")
        assert files[ending].name.endswith(f"-{today}.{ending}")
    header, *rows = read(files["csv"])
    place = header.index("entry_id")
    assert f"{user}-2" in {row[place] for row in rows}
    assert read(files["xlsx"]) == [header, *rows]
    programs.bean_check(files["beancount"])
    assert f"({user}-2) top_up" in files["journal"].read_text()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_day_to_come_is_said_beside_its_field_and_then_put_right(
    page: Page, user: int, look: Look
) -> None:
    assert look
    assert user
    page.goto("/journals")
    today = page.get_by_label("Last day").input_value()
    page.get_by_label("Last day").fill("2150-01-01")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_text("That lies in the future: it is")).to_be_visible()
    expect(page.get_by_label("Last day")).to_have_value("2150-01-01")
    page.get_by_label("Last day").fill(today)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.startswith("dreamland-all-")
    assert download.value.failure() is None


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_table_of_staff_has_its_two_files(
    page: Page, user: int, look: Look, tmp_path: Path
) -> None:
    assert look
    for template in TABLES:
        address = template.format(user=user)
        page.goto(address)
        found = {}
        for form in ("CSV", "XLSX"):
            link = page.get_by_role("main").get_by_role("link", name=f"{form} of").first
            with page.expect_download() as download:
                link.click()
            found[form] = read(kept(download.value, tmp_path))
        assert found["CSV"][0] == found["XLSX"][0], address
        own = address == "/audit"  # it has the download of the first in the second
        assert len(found["XLSX"]) - own == len(found["CSV"]) > 1, address


@pytest.mark.parametrize("look", PLACES, ids=str)
def test_everybody_can_use_the_page_of_journals(page: Page, user: int, look: Look) -> None:
    assert user
    page.goto("/journals")
    assert axe(page) == []
    assert not scrolls_sideways(page) or not look.phone
