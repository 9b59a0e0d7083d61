"""Refusals of the calls that move credits. Entries of `{user}` have the numbers that the test gave them."""

from typing import Any

from tests.api.cases import WALLET, WINS, Case, get

GOLD, POINTS = f"{WALLET}/GOLD_COIN", f"{WALLET}/LOYALTY_POINT"
HOLDS = f"{GOLD}/holds"
OPEN = f"{HOLDS}/{{user}}-4"
CAPTURE, RELEASE = f"{OPEN}/captures", f"{OPEN}/releases"
REVERSE = "/users/{user}/entries/{user}-2/reversals"
PAID = tuple(f"{GOLD}/{call}" for call in ("top-ups", "bonuses", "spends", "holds"))
CALLS = (*PAID, CAPTURE, RELEASE, REVERSE)
"""Every call that writes."""

GOOD: dict[str, Any] = {"amount": "1", "reference": "r"}
BODIES = dict.fromkeys(PAID, GOOD) | {CAPTURE: {}, RELEASE: {}, REVERSE: {"reason": "mistaken"}}
"""By call, a body that is fine."""
VALIDATION, AMOUNT = "validation_failed", "invalid_amount"
LEFT_OUT: Any = object()


def name(path: str) -> str:
    return path.replace("/users/{user}/", "").replace("wallets/", "")


def case(path: str, code: str, param: str | None = None, **change: Any) -> Case:
    """A call whose body is fine but for a change."""
    body = {k: v for k, v in (BODIES[path] | change).items() if v is not LEFT_OUT}
    return Case(404 if code.startswith("unknown") else 422, code, param, path=path, body=body)


def at(path: str, code: str, like: str, **body: Any) -> Case:
    """A call at another address, with the body that is fine for a call like it."""
    status = 404 if code.startswith("unknown") else 422
    return Case(status, code, path=path, body=BODIES[like] | body)


AUTH = {
    **{
        f"{name(path)} without credentials": Case(
            401, "unauthorized", path=path, token=None, body={}
        )
        for path in CALLS
    },
    **{
        f"{name(path)} without credentials": get(401, "unauthorized", path, token=None)
        for path in (f"{HOLDS}?limit=1", OPEN)
    },
}
KEYS = {
    **{
        f"{name(path)} without a key": Case(
            400, "idempotency_key_missing", path=path, key=None, body=BODIES[path]
        )
        for path in CALLS
    },
    **{
        f"{name(path)} with the key {key!r}"[:60]: Case(
            400, "idempotency_key_invalid", path=path, key=key, body=BODIES[path]
        )
        for path in CALLS
        for key in ("", "a b", "k" * 256, "schlüssel")
    },
    "no key comes before an unknown user": Case(
        400, "idempotency_key_missing", path="/users/0/wallets/EUR/spends", key=None, raw=b"{"
    ),
}
RAW: dict[str, tuple[int, str, bytes, dict[str, str]]] = {
    "half an object": (400, "malformed_json", b'{"amount": ', {}),
    "nothing": (400, "malformed_json", b"", {}),
    "a key twice": (400, "malformed_json", b'{"reason": "a", "reason": "b"}', {}),
    "bytes that are no UTF-8": (400, "malformed_json", b'{"reason": "\xff"}', {}),
    "a list": (422, VALIDATION, b"[]", {}),
    "null": (422, VALIDATION, b"null", {}),
    "plain text": (415, "unsupported_media_type", b"{}", {"Content-Type": "text/plain"}),
    "over 1 MiB": (413, "payload_too_large", b" " * (1024 * 1024 + 1), {}),
}
JSON = {
    f"{name(path)} with {what}": Case(status, code, path=path, raw=raw, headers=headers)
    for path in CALLS
    for what, (status, code, raw, headers) in RAW.items()
    if raw or path not in (CAPTURE, RELEASE)  # whose fields are all optional
}
AMOUNTS = {
    **{
        f"{name(path)} of {amount!r}"[:60]: case(path, AMOUNT, "amount", amount=amount)
        for path in (*PAID, CAPTURE)
        for amount in (
            "0.5",
            "1.0",
            "0",
            "-1",
            "1e3",
            "01",
            "",
            " 1",
            1,
            0.5,
            True,
            [],
            str(2**256),
        )
    },
    **{
        f"{call} of {amount!r} points": at(f"{POINTS}/{call}", AMOUNT, PAID[0], amount=amount)
        for call in ("top-ups", "bonuses", "spends", "holds")
        for amount in ("0.001", "1.000", "0.00", str(2**256))
    },
    **{f"{name(path)} of null": case(path, AMOUNT, "amount", amount=None) for path in PAID},
}
TEXT = {
    "reference": (PAID, ("", "x" * 201, 1, None, "a\nb", "\x00", "\ud800")),
    "description": ((*PAID, CAPTURE), ("x" * 501, 1, "a\x00b", "a\nb", "\udfff", [])),
    "reason": ((PAID[1], RELEASE, REVERSE), ("x" * 501, 1, "a\x7f", "\ud800", {})),
    "provider": ((PAID[0],), ("", "x" * 201, 1, "a\tb", "\ud800")),
    "expires_at": (
        (HOLDS,),
        (
            "",
            "now",
            "2026-11-20",
            "2026-11-20T12:00:00",
            1795176000,
            "2026-02-30T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
        ),
    ),
}
FIELDS = {
    **{
        f"{name(path)} with {field} {value!r}"[:90]: case(path, VALIDATION, field, **{field: value})
        for field, (paths, values) in TEXT.items()
        for path in paths
        for value in values
    },
    **{
        f"{name(path)} without {field}": case(path, VALIDATION, field, **{field: LEFT_OUT})
        for path in PAID
        for field in GOOD
    },
    "a reversal without a reason": case(REVERSE, VALIDATION, "reason", reason=LEFT_OUT),
    "a reversal with no reason": case(REVERSE, VALIDATION, "reason", reason=None),
    "a capture with an empty reference": case(CAPTURE, VALIDATION, "reference", reference=""),
    **{
        f"{name(path)} with a field too many": case(path, VALIDATION, "id", id="1")
        for path in CALLS
    },
    # What one call has, another has not.
    **{
        f"{name(path)} with {field}": case(path, VALIDATION, field, **{field: value})
        for path, field, value in (
            (PAID[0], "reason", "x"),
            (PAID[1], "provider", "psp"),
            (PAID[2], "provider", "psp"),
            (PAID[2], "expires_at", "2026-11-20T12:00:00Z"),
            (HOLDS, "hold_id", "1-1"),
            (CAPTURE, "reason", "x"),
            (RELEASE, "amount", "1"),
            (RELEASE, "reference", "r"),
            (REVERSE, "amount", "1"),
        )
    },
}
ASSETS = {
    **{
        f"{name(path)} in {asset}": at(path.replace("GOLD_COIN", asset), code, path)
        for path in CALLS[:-1]
        for asset, code in (
            *(("DREAM", "asset_not_allowed"), ("USD", "asset_not_allowed")),
            *(
                ("EUR", "unknown_asset"),
                ("FEES", "unknown_asset"),
                ("gold_coin", "unknown_asset"),
                ("%00", "unknown_asset"),
            ),
        )
    },
    **{
        f"{tail} in {asset}": get(status, code, f"{WALLET}/{asset}/{tail}")
        for tail in ("holds", "holds/{user}-4")
        for asset, status, code in (
            *(("DREAM", 422, "asset_not_allowed"), ("USD", 422, "asset_not_allowed")),
            *(("EUR", 404, "unknown_asset"), ("FEES", 404, "unknown_asset")),
        )
    },
}
USERS = {
    **{
        f"{name(path)} of user {user}": at(path.replace("{user}", user), "unknown_user", path)
        for path in CALLS
        for user in ("999999999999", "0", "01", "nobody", "9" * 19)
    },
    **{
        f"{tail} of nobody": get(
            404, "unknown_user", f"/users/999999999999/wallets/GOLD_COIN/{tail}"
        )
        for tail in ("holds", "holds/999999999999-1")
    },
}
IDS = (
    "{user}-1",
    "{user}-2",
    "{user}-999",
    "{user}-0",
    "{user}-04",
    "4",
    "nonsense",
    "%00",
    "{user}-" + "9" * 30,
    "１-4",
)
RULES = {
    **{
        f"{call} hold {id_}": at(f"{HOLDS}/{id_}/{call}", "unknown_hold", path)
        for call, path in (("captures", CAPTURE), ("releases", RELEASE))
        for id_ in IDS
    },
    **{f"hold {id_}": get(404, "unknown_hold", f"{HOLDS}/{id_}") for id_ in IDS},
    "a hold of another asset": get(404, "unknown_hold", f"{POINTS}/holds/{{user}}-4"),
    **{
        f"reversal of entry {id_}": at(
            f"/users/{{user}}/entries/{id_}/reversals", "unknown_entry", REVERSE
        )
        for id_ in IDS[2:]
    },
    "a reversal of a win": at(REVERSE.replace("-2", "-1"), "not_reversible", REVERSE),
    "a reversal of a hold": at(REVERSE.replace("-2", "-4"), "not_reversible", REVERSE),
    "a reversal of a release": at(REVERSE.replace("-2", "-6"), "not_reversible", REVERSE),
    "a reversal of a reversal": at(REVERSE.replace("-2", "-8"), "not_reversible", REVERSE),
    "a second reversal": at(REVERSE.replace("-2", "-7"), "already_reversed", REVERSE),
    "a reversal of what is held": case(REVERSE, "insufficient_funds"),
    "a spend above what is available": case(PAID[2], "insufficient_funds", amount="91"),
    "a hold above what is available": case(HOLDS, "insufficient_funds", amount="91"),
    "a capture above the hold": case(CAPTURE, "capture_exceeds_hold", amount="11"),
    "a capture of a hold that ended": at(CAPTURE.replace("-4", "-5"), "hold_not_open", CAPTURE),
    "a release of a hold that ended": at(RELEASE.replace("-4", "-5"), "hold_not_open", RELEASE),
    "a hold of yesterday": case(
        HOLDS, "expires_at_out_of_range", expires_at="2020-01-01T00:00:00Z"
    ),
    "a hold for ever": case(HOLDS, "expires_at_out_of_range", expires_at="9999-12-31T23:59:59Z"),
    "a payment that was booked": case(
        PAID[0], "payment_reference_reused", "reference", reference="paid", provider="psp"
    ),
    **{
        f"{name(path)} with a used key": Case(
            422, "idempotency_key_reused", path=path, key="used", body=BODIES[path]
        )
        for path in CALLS
    },
    "a win with a used key": Case(422, "idempotency_key_reused", path=WINS, key="used"),
}
ADDRESSES = {
    **{
        f"{method} {name(path)}": Case(405, "method_not_allowed", method=method, path=path)
        for path in CALLS
        for method in ("GET", "PUT", "DELETE", "PATCH")
        if (method, path) != ("GET", HOLDS)
    },
    "POST of a hold": Case(405, "method_not_allowed", path=OPEN, body={}),
    "POST of a wallet": Case(405, "method_not_allowed", path=GOLD, body={}),
    "DELETE of a hold": Case(405, "method_not_allowed", method="DELETE", path=OPEN),
    **{
        f"no such address: {name(path)}": Case(404, "not_found", path=path, body={})
        for path in (
            f"{GOLD}/transfers",
            f"{GOLD}/top-ups/",
            f"{OPEN}/voids",
            "/users/{user}/entries/{user}-2",
        )
    },
}
WALLETS = AUTH | KEYS | JSON | AMOUNTS | FIELDS | ASSETS | USERS | RULES | ADDRESSES
