"""What the calls of imports answer."""

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer


def _count(description: str, example: int) -> Any:
    return v.said(description, example, minimum=0)


class Import(Answer):
    """A file of wins, and how far it is."""

    id: Annotated[str, v.said("The import's id.", "1", pattern=v.ID)]
    format: Annotated[Literal["csv", "jsonl"], v.said("How the file was written.", "csv")]
    state: Annotated[Literal["queued", "running", "done"], v.said("Where it stands.", "done")]
    lines: Annotated[int, _count("Wins in the file.", 3)]
    processed: Annotated[int, _count("How many of them are through.", 3)]
    posted: Annotated[int, _count("Booked by this import.", 2)]
    replayed: Annotated[int, _count("Booked before, by the same key and request.", 0)]
    rejected: Annotated[int, _count("Refused: see the report.", 1)]
    created_at: v.CreatedAt
    started_at: Annotated[
        str | None,
        v.said("When it began; null until then.", "2026-11-21T14:00:00.1Z", format="date-time"),
    ]
    finished_at: Annotated[
        str | None,
        v.said("When it was done; null until then.", "2026-11-21T14:00:07.2Z", format="date-time"),
    ]
    report_until: Annotated[
        str | None,
        v.said(
            "Until when its report is kept; null until it is done.",
            "2026-12-21T14:00:07.2Z",
            format="date-time",
        ),
    ]


class ImportAnswer(Answer):
    """The import."""

    import_: Import = Field(alias="import")


class ImportsAnswer(Answer):
    """Your client's imports, newest first."""

    imports: list[Import] = Field(description="Newest first.")
    next_cursor: v.Cursor
