"""What a browser calls itself, in words that people know."""

import re

BROWSERS = (
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Vivaldi/", "Vivaldi"),
    (r"DuckDuckGo/", "DuckDuckGo"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"(Headless)?Chrome/|Chromium/|CriOS/", "Chrome"),
    (r"Version/.*Safari/", "Safari"),
)
"""The first that fits: most of them claim to be those below, too."""
SYSTEMS = (
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"CrOS", "ChromeOS"),
    (r"Windows", "Windows"),
    (r"Macintosh|Mac OS X", "Mac"),
    (r"Linux|X11", "Linux"),
)
MOBILE = frozenset({"iPhone", "iPad", "Android"})
UNKNOWN = "An unknown browser"


def words(called: str | None) -> str:
    """`Firefox on Linux`; what little is known of others."""
    browser, system = _first(BROWSERS, called or ""), _first(SYSTEMS, called or "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else UNKNOWN)


def is_mobile(called: str | None) -> bool:
    """Whether it is one of a phone or tablet."""
    return _first(SYSTEMS, called or "") in MOBILE


def _first(table: tuple[tuple[str, str], ...], called: str) -> str | None:
    return next((name for pattern, name in table if re.search(pattern, called)), None)
