"""How values are written on pages: amounts, times, days. All filters of templates are here."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask
from flask_login import current_user
from markupsafe import Markup

from portal.ledger import amounts
from portal.pages import hours, views

SHOWN = 6
"""Decimals that are shown; all of them are on hover, on the entry's page and in exports."""
FEWEST = 2
LONG, GROUP = 22, 6
"""Characters of a figure that stay in one line, and of a part of one that is longer."""
ICONS = Path(__file__).parent.parent / "templates" / "icons"
CUT = '<span class="cut">…</span>'


def exact(units: int, scale: int) -> str:
    """All digits, grouped, at least two decimals where the asset has them; a true minus."""
    sign, whole, decimals = _parts(units, scale)
    return _joined(sign, whole, decimals)


def figure(units: int, scale: int) -> Markup:
    """All digits, as `exact` writes them; a long figure may go on in the next line, between groups."""
    return Markup(_parted(exact(units, scale)))  # noqa: S704 - digits and signs alone


def filling(units: int, scale: int, most: int) -> str:
    """The zeros that a figure leaves out, of the decimals of its column: unseen, they put the points below each other.

    Nothing stands below a zero's point.
    """
    return "0" * (most - len(_parts(units, scale)[2])) if units else ""


def decimals(figures: Iterable[int | tuple[int, int]], scale: int) -> int:
    """How many decimals the longest figure of a column has, or of two columns."""
    each = (units for said in figures for units in (said if isinstance(said, tuple) else (said,)))
    return max((len(_parts(units, scale)[2]) for units in each), default=0)


def amount(units: int, scale: int, *, signed: bool = False) -> Markup:
    """At most six decimals, never rounded up; with a sign where `signed`. All digits on hover."""
    sign, whole, decimals = _parts(units, scale)
    if signed and units > 0:
        sign = "+"
    text = _joined(sign, whole, decimals[:SHOWN]) + (CUT if len(decimals) > SHOWN else "")
    value = amounts.text(units, scale)
    if len(text) > LONG + len(CUT):
        more, text = ' class="amount" data-long', _parted(text)
    elif units and scale > SHOWN > len(decimals):
        more = f' class="amount" data-fill="{"0" * (SHOWN - len(decimals))}…"'
    else:
        more = ' class="amount"'
    # Digits and signs alone: escaping them took a quarter of a page's time.
    return Markup(f'<data{more} value="{value}" title="{value}">{text}</data>')  # noqa: S704


def rate(value: Decimal) -> str:
    """All digits but trailing zeros: 0.15."""
    return f"{value.normalize():f}"


def moment(at: datetime) -> Markup:
    """Day and time in the viewer's zone, to the minute; the exact time on hover."""
    return _time(at, "%-d %b %Y, %H:%M")


def clock(at: datetime) -> Markup:
    """The time of day in the viewer's zone, to the second; the exact time on hover."""
    return _time(at, "%H:%M:%S")


def clock_minutes(at: datetime) -> Markup:
    """The same to the minute."""
    return _time(at, "%H:%M")


def instant(at: datetime) -> str:
    """The exact time: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")[:-6] + " UTC"


def utc_hour(at: datetime) -> Markup:
    """Sat 21 Nov 2026, 17:00 UTC: hours of conversions are those of UTC, for everybody."""
    there = at.astimezone(UTC)
    iso = there.isoformat()
    return Markup(f'<time datetime="{iso}">{there.strftime("%a %-d %b %Y, %H:%M")} UTC</time>')  # noqa: S704 - ours


def lasted(span: timedelta) -> str:
    """How long something took: 0.38 s, 12.00 s, 3 min 20 s, 2 h 5 min."""
    seconds, rest = divmod(span, timedelta(seconds=1))
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s"
    return f"{seconds}.{rest // timedelta(milliseconds=10):02d} s"


def day(value: date) -> str:
    """Sat 21 Nov 2026."""
    return value.strftime("%a %-d %b %Y")


def month(value: date) -> str:
    """November 2026."""
    return value.strftime("%B %Y")


def local(at: datetime) -> datetime:
    """The same instant in the viewer's zone."""
    return at.astimezone(ZoneInfo(getattr(current_user, "zone", "UTC")))


def register(app: Flask) -> None:
    """Give templates these filters, and `icon(name)`, and `hour_name(hour)`, as addresses have it."""
    times = (moment, clock, clock_minutes, instant, utc_hour, lasted, day, month, local)
    for each in (exact, figure, filling, decimals, amount, rate, *times, views.sentence):
        app.jinja_env.filters[each.__name__] = each
    icons = {file.stem: Markup(file.read_text()) for file in ICONS.glob("*.svg")}  # noqa: S704 - ours
    app.jinja_env.globals["icon"] = icons.__getitem__
    app.jinja_env.globals["hour_name"] = hours.name
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _parts(units: int, scale: int) -> tuple[str, str, str]:
    sign = "−" if units < 0 else ""
    whole, _, decimals = amounts.text(abs(units), scale).partition(".")
    return sign, f"{int(whole):,}", decimals.ljust(min(FEWEST, scale), "0")


def _joined(sign: str, whole: str, decimals: str) -> str:
    return sign + whole + ("." + decimals if decimals else "")


def _parted(text: str) -> str:
    """A long figure with places between groups where it may go on in the next line."""
    if len(text) <= LONG:
        return text
    whole, dot, decimals = text.partition(".")
    groups = [decimals[at : at + GROUP] for at in range(0, len(decimals), GROUP)]
    return "<wbr>".join([whole.replace(",", ",<wbr>") + dot, *groups])


def _time(at: datetime, form: str) -> Markup:
    there = local(at)
    iso = there.isoformat()
    title = f"{iso} {there.tzname()} · {instant(at)}"
    return Markup(f'<time datetime="{iso}" title="{title}">{there.strftime(form)}</time>')  # noqa: S704 - ours
