"""Every page of the gallery's table, looked at as the most different people do: nothing keeps any of them out.

axe in both themes on a phone and a desktop, the Tab key alone, 360 pixels, no script; and no link leads nowhere.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import Browser, Page
from redis import Redis

from bench.stage import Books
from gallery import office, scene
from gallery.pages import PAGES
from gallery.shown import Shown
from tests.browser import checks
from tests.browser.looks import DESKTOP, PHONE, Look
from tests.browser.site import Site
from tests.browser.watched import Watched

DAYS = 5
BARE = Look(script=False, phone=True, dark=True)
LINKS = "() => Array.from(document.links, (each) => [each.getAttribute('href'), each.innerText])"
NO_PAGE = ("otpauth:", "data:", "mailto:")
page_of_the_table = pytest.mark.parametrize("shown", PAGES, ids=lambda each: each.name)


@dataclass
class Visitors:
    """Browsers of everybody in the scene, one for each look, with all that their pages logged."""

    chromium: Browser
    site: Site
    made: scene.Scene
    _pages: dict[tuple[str, Look], Page] = field(default_factory=dict)
    watches: list[Watched] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    """Where each address was seen that a user's page links to."""

    def page(self, who: str, look: Look) -> Page:
        """The one page of a browser."""
        if (who, look) not in self._pages:
            context = self.chromium.new_context(**look.options, base_url=self.site.base)
            if sign_in_id := self.made.people[who]:
                self.site.people.let_in(context, sign_in_id, second_factor=True)
            self.watches.append(Watched(context, self.site.base))
            self._pages[who, look] = context.new_page()
        return self._pages[who, look]

    def show(self, shown: Shown, look: Look) -> Page:
        """The page as its row of the table says."""
        page = self.page(shown.who, look)
        page.emulate_media(color_scheme=look.options["color_scheme"])
        answer = page.goto(self.made.address(shown.address))
        assert answer is not None
        assert answer.status == shown.status, answer.url
        for step in shown.steps:
            step(page)
        return page

    def problems(self) -> list[str]:
        return [problem for watched in self.watches for problem in watched.problems]


@pytest.fixture(scope="module")
def visitors(chromium: Browser, site: Site) -> Visitors:
    with site.app.app_context():
        made = scene.make(Books(site.app, {"DATABASE_URL": site.database}), DAYS)
    return Visitors(chromium, site, made)


@pytest.fixture
def show(visitors: Visitors) -> Iterator[Callable[[Shown, Look], Page]]:
    """Shows a page; whoever asked often before is not asked to wait."""
    with closing(Redis.from_url(visitors.site.runtime.settings.redis_url)) as redis:
        office.forget_counts(redis)
    before = len(visitors.problems())
    yield visitors.show
    assert not visitors.problems()[before:]


@page_of_the_table
def test_a_page_is_for_everybody(
    show: Callable[[Shown, Look], Page], visitors: Visitors, shown: Shown
) -> None:
    on_phone = show(shown, PHONE)
    assert "\n".join(checks.axe(on_phone)) == ""
    assert not checks.scrolls_sideways(on_phone)
    bare = show(shown, BARE)
    assert bare.title() == on_phone.title()
    assert bare.locator("h1").inner_text() == on_phone.locator("h1").inner_text()
    assert not checks.scrolls_sideways(bare)
    on_desk = show(shown, DESKTOP)
    assert "\n".join(checks.axe(on_desk)) == ""
    assert checks.walk(on_desk).problems == []
    for address, name in on_desk.evaluate(LINKS):
        assert address != "#", f"{name} leads nowhere"
        target = urldefrag(urljoin(on_desk.url, address)).url
        if shown.who != "nobody" and not address.startswith(NO_PAGE) and target != on_desk.url:
            visitors.links.setdefault(target, f"{shown.who} at {shown.name}")


def test_no_link_of_these_pages_leads_nowhere(visitors: Visitors) -> None:
    """After the pages were seen, in this module's order."""
    assert len(visitors.links) > 60
    for address, seen in visitors.links.items():
        who = seen.partition(" ")[0]
        answer = visitors.page(who, DESKTOP).request.get(address)
        assert answer.ok, f"{answer.status} from {address}, linked by {seen}"
