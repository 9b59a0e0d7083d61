"""What every page must do: pass axe in both themes, be usable by keyboard alone, fit a phone's width."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOURS = ("color-contrast", "link-in-text-block")
"""All that a theme can change: what is held in the light against every rule, in the dark is against these."""
MOST_STEPS = 400

FIND = """() => {
  const all = document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable], iframe');
  const groups = new Set();
  window.dreamlandStops = Array.from(all).filter((each) => {
    if (each.tabIndex < 0 || each.matches(':disabled, [type=hidden]')) return false;
    if (!each.checkVisibility({visibilityProperty: true})) return false;
    if (each.type !== 'radio') return true;
    const group = Array.from(document.getElementsByName(each.name));
    return group.some((one) => one.checked) ? each.checked : !groups.has(each.name) && groups.add(each.name);
  });
  return window.dreamlandStops.map((each) =>
    `<${each.tagName.toLowerCase()}> ${(each.innerText || each.ariaLabel || each.name || '').trim().slice(0, 60)}`);
}"""
"""Names of all that the Tab key should stop at."""

HERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  const shown = (each) => {
    const style = getComputedStyle(each);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
  };
  const box = at.getClientRects()[0] || at.getBoundingClientRect();
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  const label = at.closest('label') || (at.labels && at.labels[0]);
  const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const isThere = above && (at.contains(above) || above.contains(at) || (label && label.contains(above)));
  return {
    stop: window.dreamlandStops.indexOf(at),
    name: `<${at.tagName.toLowerCase()}> ${(at.innerText || at.ariaLabel || at.name || '').trim().slice(0, 60)}`,
    isShown: shown(at) || Boolean(label && shown(label)),
    isInView: right > left && bottom > top && Boolean(isThere),
  };
}"""
"""Where the focus is, whether that can be seen, and whether anything lies over it."""


TOP = """() => {
  document.body.tabIndex = -1;  // the next Tab goes on from here, wherever the page put the focus
  document.body.focus();
  document.body.removeAttribute('tabindex');
  scrollTo(0, 0);
}"""


def axe(page: Page, within: str | None = None) -> list[str]:
    """What axe-core finds wrong in the light and in the dark, each with where it is.

    `within` is a selector, for a page of which the rest is the same again.
    """
    light = _violations(page, within, "light", "tag", TAGS)
    return [*light, *_violations(page, within, "dark", "rule", OF_COLOURS)]


def _violations(
    page: Page, within: str | None, theme: Any, kind: str, rules: tuple[str, ...]
) -> Iterator[str]:
    page.emulate_media(color_scheme=theme)
    options = {"runOnly": {"type": kind, "values": list(rules)}, "resultTypes": ["violations"]}
    for found in Axe().run(page, within, options).response["violations"]:
        for node in found["nodes"]:
            says = " ".join((node.get("failureSummary") or "").split())
            yield f"{theme}: {found['id']} at {node['target']}: {node['html'][:120]}: {says}"


@dataclass
class Walk:
    """A page walked by the Tab key, from its top to its end."""

    reached: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """Where nothing shows that the focus is there."""
    hidden: list[str] = field(default_factory=list)
    """What had the focus out of view or below something else."""

    @property
    def problems(self) -> list[str]:
        return [
            *(f"the Tab key does not reach {name}" for name in self.missed),
            *(f"no visible focus on {name}" for name in self.unseen),
            *(f"the focus is out of view on {name}" for name in self.hidden),
        ]


def walk(page: Page, most: int = MOST_STEPS) -> Walk:
    """Press Tab from the top of the page to its end, or `most` times."""
    made = Walk()
    page.evaluate(TOP)
    stops: list[str] = page.evaluate(FIND)
    seen: set[int] = set()
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:
            break
        if here["stop"] not in seen or here["stop"] == -1:
            made.reached.append(here["name"])
            made.unseen += [] if here["isShown"] else [here["name"]]
            made.hidden += [] if here["isInView"] else [here["name"]]
        seen.add(here["stop"])
    else:
        stops = stops[:0] if most < MOST_STEPS else [*stops, f"the end of the page in {most} steps"]
    made.missed += [name for number, name in enumerate(stops) if number not in seen]
    return made


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than the window. What scrolls within it, as a table may, does not count."""
    return bool(
        page.evaluate(
            "() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"
        )
    )
