"""Every bench, on a tiny scale: what it prints and what it counts afterwards. Never how long it took."""

import importlib
import json
from typing import Any

import pytest

from bench.__main__ import BENCHES, measure

TINY = {
    "post-batch": ["--users", "50", "--wins", "1000", "--passes", "1"],
    "win-http": ["--users", "20", "--connections", "4", "--seconds", "0.3", "--warm-up", "0.1"],
    "batch-http": [
        *("--users", "50", "--connections", "2", "--seconds", "0.5", "--warm-up", "0.1"),
        *("--passes", "1", "--wins", "1000"),
    ],
    "wallet-mix": ["--users", "20", "--connections", "4", "--seconds", "0.3", "--warm-up", "0.1"],
    "hot-user": ["--users", "20", "--connections", "4", "--seconds", "0.3", "--warm-up", "0.1"],
    "api-overhead": [
        *("--users", "20", "--connections", "4", "--seconds", "0.3", "--warm-up", "0.1"),
        *("--passes", "1"),
    ],
    "outbox": [
        *("--users", "20", "--connections", "4", "--seconds", "0.3", "--warm-up", "0.1"),
        *("--passes", "1"),
    ],
    "convert": ["--users", "1500"],
    "pages": [
        *("--others", "20", "--entries", "200", "--own", "60", "--today", "22", "--days", "3"),
        *("--requests", "3", "--warm-up", "1"),
    ],
    "growth": ["--users", "50", "--small", "100", "--big", "600", "--wins", "1000"],
    "trial-balance": [
        *("--users", "20", "--postings", "600", "--hours", "6", "--first-postings", "200"),
        *("--first-hours", "2", "--asked", "20", "--warm-up", "2"),
    ],
    "rollup": ["--users", "20", "--postings", "600", "--hours", "6"],
    "export": ["--users", "20", "--postings", "800", "--passes", "1"],
    "verify": ["--users", "50", "--entries", "400", "--passes", "1"],
}
CHECKED: dict[str, dict[str, object]] = {
    "post-batch": {"lost": 0, "balanced": True},
    "win-http": {"lost": 0, "other_answers": 0},
    "batch-http": {"lost": 0, "other_answers": 0},
    "wallet-mix": {"lost": 0, "other_answers": 0, "differences": 0},
    "hot-user": {"lost": 0, "other_answers": 0, "differences": 0},
    "api-overhead": {"lost": 0, "other_answers": 0, "not_logged": 0},
    "outbox": {"lost": 0, "other_answers": 0, "undelivered": 0},
    "convert": {
        "not_converted": 0,
        "with_tokens": 0,
        "run_is_its_postings": True,
        "added_by_second_run": 0,
    },
    "pages": {"other_answers": 0},
    "growth": {"lost": 0},
    "trial-balance": {"differ": 0},
    "rollup": {"not_added_up": 0, "fees_not_added_up": 0, "hours_not_closed": 0},
    "export": {"lost": 0, "within_200_mb": True},
    "verify": {"differences": 0, "unread": 0},
}


def lines(name: str) -> list[dict[str, Any]]:
    figures = measure(importlib.import_module(BENCHES[name][0]), TINY[name])
    return [json.loads(figure.as_json()) for figure in figures]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_prints_its_headline_last_and_what_it_counted_is_right(name: str) -> None:
    printed = lines(name)
    headline = printed[-1]
    assert all({"bench", "value", "unit", "reference", "ratio"} <= set(line) for line in printed)
    assert all(line["bench"].startswith(name) and line["value"] > 0 for line in printed)
    assert headline["bench"] == name
    assert headline["ratio"] == pytest.approx(
        headline["value"] / headline["reference"], rel=0.01, abs=0.0006
    )
    assert {key: headline[key] for key in CHECKED[name]} == CHECKED[name]
    assert "wrong" not in headline
