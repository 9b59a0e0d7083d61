"""API clients: their keys, what each may do, and who calls."""

from portal.services.clients.callers import CACHE_S, Caller, caller_of
from portal.services.clients.keys import (
    MAX_OVERLAP,
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
    MAX_NAME,
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
from portal.services.clients.lists import ListedClient, get, key, keys_page, page

__all__ = [
    "CACHE_S",
    "MAX_NAME",
    "MAX_OVERLAP",
    "OVERLAP",
    "SCOPES",
    "Caller",
    "ClientInfo",
    "KeyInfo",
    "Limits",
    "ListedClient",
    "add",
    "caller_of",
    "create_key",
    "every",
    "find",
    "find_key",
    "get",
    "key",
    "keys_page",
    "limit",
    "limits_of",
    "list_keys",
    "named",
    "page",
    "revoke",
    "revoke_all",
    "rotate",
    "set_limits",
]
