"""Verifying webhooks: what the standardwebhooks package signs is believed, and nothing else is."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dreamland_client import (
    ConversionDone,
    HoldExpired,
    WalletChanged,
    WebhookError,
    Win,
    verify,
)

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
OLD = "whsec_" + base64.b64encode(b"the one before of as many bytes.").decode()
AT = "2026-03-02T10:00:00Z"
CHANGE = {
    "entry_id": "1-2",
    "user_id": "1",
    "kind": "spend",
    "asset": "GOLD_COIN",
    "amount": "-30",
    "held_change": "0",
    "balance": "70",
    "held": "0",
    "available": "70",
    "occurred_at": AT,
    "booked_at": AT,
    "reference": None,
}
WIN = {
    "entry_id": "1-2",
    "user_id": "1",
    "asset": "DREAM",
    "amount": "0.25",
    "occurred_at": AT,
    "booked_at": AT,
    "day": "2026-03-02",
    "game": "maze",
    "reference": "r",
}
CONVERSION = {
    "entry_id": "1-2",
    "user_id": "1",
    "hour": AT,
    "tokens": "1",
    "usd": "0.15",
    "rate": "0.15",
    "booked_at": AT,
}
DATA: dict[str, tuple[dict[str, Any], type[Any]]] = {
    "win.booked": (WIN, Win),
    "conversion.done": (CONVERSION, ConversionDone),
    "wallet.changed": (CHANGE, WalletChanged),
    "hold.expired": (CHANGE | {"hold_id": "1-1"}, HoldExpired),
    "of.tomorrow": ({"anything": 1}, dict),
}


def told(kind: str = "win.booked") -> bytes:
    event = {"id": "1-2", "type": kind, "timestamp": AT, "data": DATA[kind][0]}
    return json.dumps(event).encode()


def signed(payload: bytes, *secrets: str, at: datetime | None = None) -> dict[str, str]:
    """The headers that the package makes."""
    at = at or datetime.now(UTC)
    signatures = [Webhook(each).sign("1-2", at, payload.decode()) for each in secrets or [SECRET]]
    return {
        "Webhook-Id": "1-2",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": " ".join(signatures),
    }


@pytest.mark.parametrize("kind", DATA)
def test_what_was_signed_is_believed_and_typed(kind: str) -> None:
    event = verify(told(kind), signed(told(kind)), SECRET)
    assert (event.id, event.type) == ("1-2", kind)
    assert isinstance(event.data, DATA[kind][1])
    assert Webhook(SECRET).verify(told(kind), signed(told(kind)))


def test_amounts_of_an_event_are_exact() -> None:
    event = verify(told("wallet.changed"), signed(told("wallet.changed")), SECRET)
    assert isinstance(event.data, WalletChanged)
    assert event.data.amount == Decimal(-30)


def test_while_a_secret_is_replaced_either_one_will_do() -> None:
    for known in (SECRET, OLD, [SECRET, OLD], [OLD, SECRET]):
        for signers in ([SECRET, OLD], [OLD, SECRET]):
            assert verify(told(), signed(told(), *signers), known).id == "1-2"
    assert verify(told(), signed(told(), OLD), [SECRET, OLD]).id == "1-2"
    with pytest.raises(WebhookError, match="no signature"):
        verify(told(), signed(told(), OLD), SECRET)


WRONG: dict[str, dict[str, str]] = {
    "another body's": {"Webhook-Signature": signed(told("of.tomorrow"))["Webhook-Signature"]},
    "none": {"Webhook-Signature": ""},
    "no version": {"Webhook-Signature": "abc"},
    "another version": {"Webhook-Signature": "v2,abc"},
    "not base64": {"Webhook-Signature": "v1,%%%"},
    "not ASCII": {"Webhook-Signature": "v1,é"},
    "no text": {"Webhook-Signature": "v1,\udcff"},
    "another id": {"Webhook-Id": "1-3"},
    "an id that is no text": {"Webhook-Id": "1-2\udcff"},
    "a time that is no text": {"Webhook-Timestamp": "1\ud800"},
    "another time": {"Webhook-Timestamp": "1"},
    "no time": {"Webhook-Timestamp": "now"},
    "a time of other digits": {"Webhook-Timestamp": "١٢٣"},
    "a time beyond all": {"Webhook-Timestamp": "9" * 400},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_was_not_signed_is_not_believed(name: str) -> None:
    with pytest.raises(WebhookError):
        verify(told(), signed(told()) | WRONG[name], SECRET)


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = signed(told())
    del headers[name]
    with pytest.raises(WebhookError, match=name.lower()):
        verify(told(), headers, SECRET)


def test_one_signed_too_long_ago_or_ahead_is_not_believed() -> None:
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    headers = signed(told(), at=now)
    for off, is_fine in ((0, True), (299, True), (-299, True), (301, False), (-301, False)):
        if is_fine:
            assert verify(told(), headers, SECRET, now=now.timestamp() + off)
        else:
            with pytest.raises(WebhookError, match="too long ago"):
                verify(told(), headers, SECRET, now=now.timestamp() + off)
    assert verify(told(), headers, SECRET, now=now.timestamp() + 301, tolerance_s=600)


def test_a_signed_body_that_is_no_event_is_an_error() -> None:
    for payload in (b"no json", b'{"id": "1-9", "type": "x", "timestamp": "' + AT.encode() + b'"}'):
        with pytest.raises(Exception, match=r"not JSON|data"):
            verify(payload, signed(payload), SECRET)
    other = told().replace(b'"id": "1-2"', b'"id": "1-3"')
    with pytest.raises(WebhookError, match="webhook-id"):
        verify(other, signed(other), SECRET)


def test_a_secret_that_is_none_is_told() -> None:
    for secret in ("", "whsec_", "whsec_a"):
        with pytest.raises(ValueError, match="whsec_"):
            verify(told(), signed(told()), secret)


@given(
    st.binary(max_size=64),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
)
def test_it_believes_no_other_than_the_package_does(payload: bytes, signature: str) -> None:
    headers = signed(told()) | {"Webhook-Signature": signature}
    with pytest.raises(WebhookError):
        verify(payload, headers, SECRET)
    try:
        Webhook(SECRET).verify(payload, headers)
    except (WebhookVerificationError, ValueError):
        return
    raise AssertionError("the package believes what this does not")
