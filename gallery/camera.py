"""Takes the pictures: Chromium, once for each theme and size, as WebP by its own debugging protocol."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local import browser

QUALITY = 52
TALLEST = 1500
"""Pixels of the page that a picture shows at most: a long table is the same further down."""


@dataclass(frozen=True)
class View:
    """A theme and a size."""

    theme: str
    size: str

    def __str__(self) -> str:
        return f"{self.theme}-{self.size}"

    @property
    def scale(self) -> float:
        """Pixels of a picture for a pixel of the page: a phone's are finer."""
        return 1.5 if self.size == "phone" else 1

    @property
    def options(self) -> dict[str, Any]:
        """What a context of the browser is made with."""
        phone = self.size == "phone"
        return {
            "viewport": {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
            "has_touch": phone,
            "color_scheme": self.theme,
            "reduced_motion": "reduce",
            "locale": "en-GB",
            "timezone_id": "UTC",
        }


VIEWS = tuple(View(theme, size) for size in ("phone", "desktop") for theme in ("light", "dark"))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for all pictures."""
    executable = browser.executable(print)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=executable, args=browser.flags())
        yield made
        made.close()


def context(chromium: Browser, view: View, base: str, at: datetime) -> BrowserContext:
    """A browser of somebody's, whose clock stands still as the ledger's does."""
    made = chromium.new_context(**view.options, base_url=base)
    made.clock.set_fixed_time(at)
    return made


def picture(page: Page, view: View, to: Path) -> None:
    """The page from its top, as long as it is."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")
    width = view.options["viewport"]["width"]
    height = int(page.evaluate("() => document.documentElement.scrollHeight"))
    # A window as tall as the page: what stays at its edge is at the edge of the picture.
    size = {"width": width, "height": min(height, TALLEST)}
    page.set_viewport_size(size)  # type: ignore[arg-type]
    protocol = page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, **size, "scale": view.scale}
    shot = protocol.send(
        "Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "clip": clip}
    )
    to.parent.mkdir(exist_ok=True)
    to.write_bytes(base64.b64decode(shot["data"]))
