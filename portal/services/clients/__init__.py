"""API clients: their keys, what each may do, and who calls."""

from portal.services.clients.callers import CACHE_S, Caller, caller_of
from portal.services.clients.keys import (
    OVERLAP,
    SCOPES,
    KeyInfo,
    create_key,
    find_key,
    list_keys,
    revoke,
    revoke_all,
    rotate,
)
from portal.services.clients.limits import (
    ClientInfo,
    Limits,
    add,
    every,
    find,
    limit,
    limits_of,
    named,
    set_limits,
)

__all__ = [
    "CACHE_S",
    "OVERLAP",
    "SCOPES",
    "Caller",
    "ClientInfo",
    "KeyInfo",
    "Limits",
    "add",
    "caller_of",
    "create_key",
    "every",
    "find",
    "find_key",
    "limit",
    "limits_of",
    "list_keys",
    "named",
    "revoke",
    "revoke_all",
    "rotate",
    "set_limits",
]
