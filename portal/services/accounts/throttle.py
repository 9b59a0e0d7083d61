"""Throttling: how often somebody may try before having to wait. The counts are those of all processes.

What is tried counts as failed until it has succeeded, so tries at the same time get no further than tries
in turn. Who tried what can't be read from a count's name, and an IPv6 address counts with its /64.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal

from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, seals

MINUTE_S, HOUR_S = 60, 3600
PURPOSE = "throttle"
By = Literal["email", "address", "sign_in"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many may fail in a while, by whom or from where."""

    by: tuple[By, ...]
    most: int
    window_s: int
    forgives: bool = False
    """Whether a success makes all failures before it undone."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """What is limited, as people are told, and how."""

    says: str
    limits: tuple[Limit, ...]


OWN = (Limit(("sign_in",), 5, 15 * MINUTE_S, forgives=True),)
MAILS = Throttle(
    "too many mails were asked for",
    (Limit(("email",), 3, HOUR_S), Limit(("address",), 20, HOUR_S)),
)
THROTTLES = {
    "sign_in": Throttle(
        "signing in failed too often",
        (
            Limit(("email", "address"), 5, 15 * MINUTE_S, forgives=True),
            Limit(("email",), 20, HOUR_S),
            Limit(("address",), 30, 15 * MINUTE_S),
        ),
    ),
    "second_factor": Throttle("the codes were wrong too often", OWN),
    "password": Throttle("the password was wrong too often", OWN),
    "export": Throttle("the data was downloaded too often", (Limit(("sign_in",), 10, HOUR_S),)),
    "sign_up": MAILS,
    "reset": MAILS,
    "email_change": MAILS,
}
"""By name, everything that is throttled."""


def check(
    name: str, *, email: str = "", address: str | None = None, sign_in_id: int | None = None
) -> None:
    """Count a try; `address` is the actor's unless told. Raises Refused('rate_limited', retry_after_s)."""
    _count(name, _who(email, address, sign_in_id))


@contextmanager
def attempt(
    name: str, *, email: str = "", address: str | None = None, sign_in_id: int | None = None
) -> Iterator[None]:
    """A try, which fails if the block raises a Refused and else counts no more. Raises as `check` does."""
    who = _who(email, address, sign_in_id)
    _count(name, who)
    try:
        yield
    except Refused:
        raise
    except BaseException:  # what went wrong is nobody's failure
        for key, limit in _keys(name, who):
            runtime().counts.take_back(key, limit.window_s)
        raise
    for key, limit in _keys(name, who):
        if limit.forgives:
            runtime().counts.clear(key)
        else:
            runtime().counts.take_back(key, limit.window_s)


def _count(name: str, who: dict[By, str]) -> None:
    counts, counted = runtime().counts, list[tuple[str, Limit]]()
    for key, limit in _keys(name, who):
        counted.append((key, limit))
        count, left_s = counts.add(key, 1, limit.window_s)
        if count > limit.most:
            for each, of in counted:
                counts.take_back(each, of.window_s)
            detail = f"{THROTTLES[name].says}: try again in {_words(left_s)}"
            raise Refused("rate_limited", detail, retry_after_s=left_s)


def _keys(name: str, who: dict[By, str]) -> Iterator[tuple[str, Limit]]:
    secret = runtime().settings.secret_key
    for number, limit in enumerate(THROTTLES[name].limits):
        by = seals.digest(secret, PURPOSE, "\n".join(who[each] for each in limit.by))
        yield f"{name}:{number}:{by}", limit


def _who(email: str, address: str | None, sign_in_id: int | None) -> dict[By, str]:
    return {
        "email": email.strip().lower(),
        "address": _network(address or audit.actor().address or ""),
        "sign_in": str(sign_in_id or ""),
    }


def _network(address: str) -> str:
    """An IPv4 address, or of an IPv6 one the half that a household or a server is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or f"{int(found) >> 64:x}::/64")
    return str(found)


def _words(seconds: int) -> str:
    minutes = -(-seconds // MINUTE_S)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
