"""docs/gallery.md: the pictures, page by page."""

from collections.abc import Sequence

from gallery.camera import VIEWS
from gallery.shown import Shown

HEAD = """# The gallery

Every page, light and dark, on a phone and on a desktop. `bin/gallery` takes the pictures anew, of a demo
of its own that is the same every time; what it shows is in [`gallery/`](../gallery).
"""


def text(pages: Sequence[Shown]) -> str:
    """The document."""
    return "\n".join([HEAD, *(_section(each) for each in pages)])


def _section(page: Shown) -> str:
    names = [f"{view.size.capitalize()}, {view.theme}" for view in VIEWS]
    cells = [
        f"![{page.about}, {view.theme}, on a {view.size}]({file(page, str(view))})"
        for view in VIEWS
    ]
    lines = [
        f"## {page.about}",
        f"`{page.address}`",
        "\n".join([_row(names), _row(["---"] * len(names)), _row(cells)]),
    ]
    return "\n\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def file(page: Shown, view: str) -> str:
    """Where a picture is, from docs/ on."""
    return f"gallery/{page.name}-{view}.webp"
