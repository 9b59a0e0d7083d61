"""Every block of docs/examples.md, run by sh and curl on a demo, answers as the page shows it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import URL

from local import demo as demo_file
from portal import create_app
from portal.services import demo
from tests.concurrency.programs import programs_for
from tests.concurrency.web import Web
from tests.conftest import settings_for
from tests.docs.examples import Example, examples, run, shape
from tests.house.source import ROOT

PAGE = (ROOT / "docs/examples.md").read_text()
BLOCKS = examples(PAGE)


@pytest.fixture(scope="module")
def printed(
    shared_database: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, str]]:
    """What each block printed, by its line; all ran once, on a demo as bin/run makes it."""
    checkout = tmp_path_factory.mktemp("checkout")
    settings = settings_for(shared_database, checkout / "var")
    app = create_app(settings)
    with app.app_context():
        demo.seed()
    with (
        programs_for(settings, tmp_path_factory.mktemp("programs")) as programs,
        closing(Web(programs, app)) as web,
    ):
        with Redis.from_url(settings.redis_url) as redis:
            redis.flushdb()
        programs.start("-m", "jobs.worker")
        demo_file.set_base(checkout / "var", f"http://127.0.0.1:{web.port}")
        yield dict(zip((each.line for each in BLOCKS), run(BLOCKS, checkout), strict=True))
    app.extensions["dreamland"].engine.dispose()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line-{block.line}")
def test_it_answers_as_the_page_shows(block: Example, printed: dict[int, str]) -> None:
    answered = printed[block.line]
    if block.shown is None:
        assert not answered, f"the page does not show this answer: {answered}"
        return
    assert answered, "it printed nothing"
    assert shape(answered) == shape(block.shown), answered


def test_nothing_but_blocks_of_shell_and_their_answers_is_fenced() -> None:
    fences = PAGE.count("\n```") // 2
    assert fences == len(BLOCKS) + sum(each.shown is not None for each in BLOCKS)


def test_two_answers_differ_where_a_field_or_its_type_does() -> None:
    answer = {"id": "1", "days": [{"n": 1}], "next": None}
    told = json.dumps(answer) + "\n200"
    assert shape(told) == shape(json.dumps(answer | {"id": "2"}) + "\n200\n")
    for other in ({"id": 1}, {"days": []}, {"days": [{"m": 1}]}, {"next": "x"}, {"more": 1}):
        assert shape(told) != shape(json.dumps(answer | other) + "\n200")
    assert shape(told) != shape(json.dumps(answer) + "\n201")
    assert shape(told) != shape(json.dumps(answer))


def test_a_block_that_fails_fails_its_page(tmp_path: Path) -> None:
    page = "```sh\nno=1\n```\n\n```sh\nfalse\n```\n"
    with pytest.raises(AssertionError):
        run(examples(page), tmp_path)
