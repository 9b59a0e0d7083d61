"""Imports by the client: the file is sent whole at each attempt, under one key, and waited for."""

from pathlib import Path
from typing import Any

import pytest

from dreamland_client import Dreamland, Import, ImportNotDone
from tests.clients.scripted import Scripted, closes, refuses, says

AT = "2026-03-02T10:00:00Z"
JOB = {
    "id": "7",
    "format": "csv",
    "state": "running",
    "lines": 4,
    "processed": 2,
    "posted": 1,
    "replayed": 0,
    "rejected": 1,
    "created_at": AT,
    "started_at": AT,
    "finished_at": None,
}
DONE = JOB | {"state": "done", "processed": 4, "posted": 3, "finished_at": AT}


def job(**fields: Any) -> dict[str, Any]:
    return {"import": JOB | fields}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wins.csv"
    path.write_text("user_id,idempotency_key,amount,occurred_at,game,reference\n" * 5000)
    return path


def test_a_file_is_sent_whole_each_time_with_its_length_and_one_key(
    scripted: Scripted, caller: Dreamland, file: Path
) -> None:
    scripted.will(closes, refuses(503, "unavailable"), says(202, job()))
    assert caller.start_import(file, "csv").lines == 4
    assert {asked.body for asked in scripted.asked} == {file.read_bytes()}
    assert len(scripted.asked) == 3
    for asked in scripted.asked:
        assert asked.headers["content-length"] == str(file.stat().st_size)
        assert "transfer-encoding" not in asked.headers
        assert asked.headers["content-type"] == "text/csv"


def test_the_key_of_a_file_is_its_contents_wherever_it_comes_from(
    scripted: Scripted, caller: Dreamland, file: Path
) -> None:
    scripted.will(says(202, job()))
    caller.start_import(file, "csv")
    caller.start_import(file.read_bytes(), "csv")
    caller.start_import(b"another", "csv")
    caller.start_import(file, "csv", idempotency_key="mine")
    keys = [asked.headers["idempotency-key"] for asked in scripted.asked]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == "mine"


def test_it_is_waited_for_telling_how_far_it_is(scripted: Scripted, caller: Dreamland) -> None:
    steps = [job(processed=2), job(processed=3), {"import": DONE}]
    scripted.will(says(200, steps[0]), closes, says(200, steps[1]), says(200, steps[2]))
    seen: list[Import] = []
    done = caller.wait_for_import("7", on_progress=seen.append, poll_s=0.001)
    assert done.is_done
    assert [each.processed for each in seen] == [2, 3, 4]


def test_waiting_ends_when_its_time_is_over(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(says(200, job()))
    with pytest.raises(ImportNotDone, match="2 of 4 lines"):
        caller.wait_for_import("7", timeout=0.05, poll_s=0.01)


def test_a_report_is_what_the_server_wrote(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(says(200, b"line,code\r\n2,invalid_amount\r\n", Content_Type="text/csv"))
    assert caller.import_report("7").decode().splitlines()[1] == "2,invalid_amount"
