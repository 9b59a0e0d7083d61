"""What tests read off answers: the words of a page, the rows of a file."""

import csv
import re
from html import unescape
from io import StringIO
from itertools import islice

from werkzeug.test import TestResponse

STAMP = 4
"""Lines above the table of a file for staff."""


def words(page: TestResponse | str) -> str:
    """What is read, one space apart, without its marks; where a line may break inside a figure is no space."""
    html = page if isinstance(page, str) else page.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.replace("<wbr>", ""))).split())


def table(answer: TestResponse) -> list[dict[str, str]]:
    """The rows of a CSV for staff, below its stamp."""
    assert answer.status_code == 200, answer.text
    assert all(line.startswith("# ") for line in answer.text.splitlines()[:STAMP]), answer.text
    return list(csv.DictReader(islice(StringIO(answer.text, newline=""), STAMP, None)))
