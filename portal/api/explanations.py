"""What each error code means and what to do about it: the document, its page and docs/errors.md say this."""

EXPLANATIONS = {
    "malformed_json": (
        "the body is not JSON, holds a key twice, or is nested too deeply",
        "mend the sender",
    ),
    "idempotency_key_missing": (
        "a call that moves value has no `Idempotency-Key`",
        "send one, the same at every retry",
    ),
    "idempotency_key_invalid": ("the key is not 1 to 255 visible ASCII characters", "use a UUID"),
    "unauthorized": (
        "no API key, or one that is unknown, revoked or expired",
        "send `Authorization: Bearer <key>`",
    ),
    "forbidden": (
        "the key lacks the scope that the detail names, or its client is limited to other games, regions or networks",
        "ask for a key with that scope, or for the limit to be changed",
    ),
    "not_found": ("there is nothing at this address", "check the path"),
    "unknown_user": ("no user has this id", "create the user first"),
    "unknown_asset": ("no asset has this code", "see `GET /api/v1/assets`"),
    "unknown_entry": ("the user has no such entry", "check the entry id"),
    "unknown_hold": ("the user's wallet has no such hold", "check user, asset and hold id"),
    "unknown_import": ("the client has no such import", "see `GET /api/v1/imports`"),
    "unknown_endpoint": (
        "the client has no such webhook endpoint",
        "see `GET /api/v1/webhook-endpoints`",
    ),
    "method_not_allowed": ("the address takes other methods", "see the `Allow` header"),
    "user_exists": (
        "another request made a user with this `external_id`",
        "read that user, or `PATCH` it",
    ),
    "hour_not_next": (
        "the hour is not over, or an earlier one is not done",
        "convert the earlier hour first",
    ),
    "payload_too_large": (
        "the body is over 1 MiB, or the file of an import over 64 MiB or 1,000,000 lines",
        "send smaller batches, split the file",
    ),
    "unsupported_media_type": (
        "the body is not `application/json`, or the file of an import neither `text/csv` nor `application/x-ndjson`",
        "set `Content-Type`",
    ),
    "validation_failed": (
        "`param` names the field that is missing, unknown or wrong",
        "mend the field",
    ),
    "invalid_amount": (
        "not a canonical decimal string above zero within the asset's scale",
        'send `"0.5"`, not `0.5`',
    ),
    "occurred_at_out_of_range": (
        "more than 24 h (in an import: 30 days) ago or more than 60 s ahead of the ledger clock",
        "check the sender's clock",
    ),
    "daily_limit_exceeded": (
        "the local day's limit would be passed; `limit`, `used`, `remaining`",
        "send at most `remaining`",
    ),
    "insufficient_funds": (
        "less is available than the amount; `balance`, `held`, `available`",
        "send at most `available`",
    ),
    "asset_not_allowed": ("the asset is no credit: DREAM is won, USD converted", "use a credit"),
    "payment_reference_reused": (
        "the provider's payment was taken by another request, which booked it, or ended badly less than a day ago",
        "look at the user's transactions; a retry sends the same key",
    ),
    "hold_not_open": ("the hold was captured or released, or has expired", "make a new one"),
    "capture_exceeds_hold": ("the amount is above what is held; `held`", "capture at most that"),
    "expires_at_out_of_range": (
        "the hold would expire before it begins, or more than 31 days ahead",
        "send another time, or none",
    ),
    "idempotency_key_reused": (
        "the key was used for another request",
        "use a new key for a new request",
    ),
    "already_reversed": ("the entry was reversed before", "nothing: it is done"),
    "not_reversible": (
        "only top-ups, bonuses and spends can be reversed",
        "release a hold; correct others by a new entry",
    ),
    "period_closed": (
        "the books of the month that the entry would be dated in were closed",
        "send the same key again when the next month has begun",
    ),
    "url_not_allowed": (
        "the URL is not https, or its host has no public address, or one that is not public; `detail`",
        "send a public https URL",
    ),
    "too_many_endpoints": ("a client has at most 10 webhook endpoints", "delete one first"),
    "invalid_cursor": ("the cursor is damaged or of another list", "start again without one"),
    "rate_limited": (
        "the requests of this minute are spent, or as many imports or replays as a client may have are waiting; `limit`, `detail`",
        "send the same request again after `Retry-After` seconds",
    ),
    "internal_error": ("a fault of ours; nothing was written", "report the `request_id`"),
    "unavailable": (
        "the database or the queue is away or full",
        "send the same key again after `Retry-After` seconds",
    ),
}
"""By code: what happened, and what to do, in Markdown. In the order of docs/errors.md."""
