"""What makes two requests the same: the hash of a key, the hash of a request."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest

from portal.ledger.idempotency import key_hash, microseconds, request_hash


def test_a_key_belongs_to_its_client() -> None:
    assert key_hash(1, "k") != key_hash(2, "k")
    assert key_hash(1, "2:k") != key_hash(12, ":k")
    assert len(key_hash(1, "k")) == 32


def test_a_key_is_not_kept_in_the_clear() -> None:
    assert "secret-key" not in key_hash(1, "secret-key")


def test_every_field_of_a_request_counts() -> None:
    base = ("win", 7, 10, 20, "maze", "r1")
    others = [
        ("bonus", 7, 10, 20, "maze", "r1"),
        ("win", 8, 10, 20, "maze", "r1"),
        ("win", 7, 11, 20, "maze", "r1"),
        ("win", 7, 10, 21, "maze", "r1"),
        ("win", 7, 10, 20, "maze!", "r1"),
        ("win", 7, 10, 20, "maze", "r2"),
        ("win", 7, 10, 20, "maze", None),
        ("win", 7, 10, 20, "maze", "r1", None),
    ]
    hashes = {request_hash(*request) for request in [base, *others]}  # type: ignore[arg-type]
    assert len(hashes) == len(others) + 1


def test_fields_cannot_be_shifted_into_each_other() -> None:
    assert request_hash("win", 1, "ab", "c") != request_hash("win", 1, "a", "bc")
    assert request_hash("win", 1, 'a","b') != request_hash("win", 1, "a", "b")
    assert request_hash("win", 1, 5) != request_hash("win", 1, "5")
    assert request_hash("win", 1, None) != request_hash("win", 1, "null")


def test_a_request_hash_never_changes() -> None:
    """It is stored for ever: a change of its form would turn every retry into another request."""
    assert request_hash("win", 1, 10**18, 0, "maze", "r").hex() == (
        "082f6f317985b9e1feb9f8fd6fe35beb5d62bcd0770b90f420f6546c514fa983"
    )


def test_an_instant_is_the_same_in_any_offset() -> None:
    utc = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)
    elsewhere = utc.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert microseconds(utc) == microseconds(elsewhere) == 1795176000000001


def test_times_before_1970_count_down() -> None:
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == -1


STRANGE = ["", "maze", 'a"b\\c/d', "\x00\x1f\x7f\x85\u2028", "ü€😀", "\ud800", "null", "1"]


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
@pytest.mark.parametrize("number", [0, -1, 2**256 - 1, None])
def test_a_request_hash_is_that_of_the_json_of_its_fields_for_ever(
    text: str, number: int | None
) -> None:
    canonical = json.dumps([1, "win", 2**63 - 1, number, text], separators=(",", ":"))
    assert request_hash("win", 2**63 - 1, number, text) == sha256(canonical.encode()).digest()


def test_a_request_hash_of_long_ago_is_still_the_same() -> None:
    """Keys are kept for ever: were this hash to change, retries of old requests would be refused."""
    digest = request_hash("win", 7, 10**18, 1_795_000_000_000_000, "maze", "round é").hex()
    assert digest == "9bc64ec6763924b753d948f5b27f05fbe55a058f3960c68a263e3c86406d5c34"


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_microseconds_are_exact_at_any_time(year: int) -> None:
    at = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert microseconds(at) == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
