"""Cursors: they open for their list alone, and tell nobody what is in them."""

from base64 import urlsafe_b64decode
from typing import Any

import pytest

from portal.api.cursors import seal, unseal

SECRET = "a secret of the tests' own"
PLACES: list[Any] = [7, "GOLD", None, ["2026-11-21T19:00:00+00:00", 2**62, 3], ["x" * 500, -1, 0]]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place)[:20])
def test_a_place_is_found_again_by_its_cursor_and_the_same_place_has_the_same(place: Any) -> None:
    cursor = seal(SECRET, "events", place)
    assert unseal(SECRET, "events", cursor) == place
    assert seal(SECRET, "events", place) == cursor
    assert cursor.isascii()
    assert "=" not in cursor


def test_a_cursor_fits_no_other_list_and_no_other_secret() -> None:
    cursor = seal(SECRET, "events", 7)
    for secret, name in ((SECRET, "imports"), ("another", "events")):
        with pytest.raises(ValueError, match="not sealed"):
            unseal(secret, name, cursor)


def test_a_cursor_that_was_changed_anywhere_is_refused() -> None:
    cursor = seal(SECRET, "events", [1, 2])
    for n, letter in enumerate(cursor):
        other = "A" if letter != "A" else "B"
        with pytest.raises(ValueError, match="not sealed"):
            unseal(SECRET, "events", cursor[:n] + other + cursor[n + 1 :])


@pytest.mark.parametrize("text", ["", "a", "ü", "\ud800", "!!!!", "A" * 32, "A" * 5000, "\0"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unseal(SECRET, "events", text)


def test_a_cursor_tells_nothing_of_its_place() -> None:
    places = [["2026-11-21T19:00:00+00:00", owner, 1] for owner in (1, 2**40 + 5, 2**62)]
    cursors = [seal(SECRET, "events", place) for place in places]
    assert len({len(cursor) for cursor in cursors}) == 1
    for (at, owner, _), cursor in zip(places, cursors, strict=True):
        said = urlsafe_b64decode(cursor)
        assert str(owner).encode() not in said or owner == 1
        assert str(at)[:4].encode() not in said
