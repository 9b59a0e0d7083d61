"""Where webhooks may be sent: which URLs, and which addresses their names may lead to.

A name is looked up once for a connection, every address it has is checked, and the connection is made
to one of exactly those: what the name says a moment later doesn't matter.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from config import Settings

Lookup = Callable[[str, int], list[str]]
"""The addresses of a name, for a port. Raises OSError."""

MAX_URL = 2000
VISIBLE = re.compile(r"[\x21-\x7e]+")
NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
USUAL_PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
GLOBAL_V6 = ipaddress.ip_network("2000::/3")
"""All that is given out of the newer addresses; what lies elsewhere stands for something else or is local."""
RESERVED = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; a cloud's metadata are at 192.0.0.192
            "192.88.99.0/24",  # relays of 6to4, given up
            "168.63.129.16/32",  # a cloud's platform, open to each of its machines alone
            "3fff::/20",  # for documents
        ),
    )
)
"""What is not of the open internet, though Python 3.11 says so."""
ISATAP = (0x00005EFE, 0x02005EFE)
"""With these the second half of an address begins that carries an older one within."""
LOOKUP_S = 5
"""For finding the addresses of a name."""
NOT_PUBLIC = (
    "the URL's host has no public address, or one that is not public: send a public https URL"
)
"""The same for a name that isn't there: nobody is told which names of our own network are."""


class NotAllowed(Exception):
    """Nothing may be sent there; the message says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed here: in production neither."""

    plain_http: bool
    private: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A URL's parts, as a request needs them."""

    is_https: bool
    host: str
    port: int
    path: str


def rules(settings: Settings) -> Rules:
    """Those of the settings."""
    return Rules(not settings.is_production, settings.webhook_private)


def parse(url: str, allowed: Rules) -> Target:
    """The parts of a URL that may be sent to, as far as it says itself. Raises NotAllowed."""
    if len(url) > MAX_URL or not VISIBLE.fullmatch(url):
        raise NotAllowed(f"send a URL of up to {MAX_URL} visible ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAllowed("that is no URL: send one like https://games.example/webhooks") from None
    if parts.scheme not in (("https", "http") if allowed.plain_http else ("https",)):
        raise NotAllowed("send a URL that starts with https://")
    if "@" in parts.netloc or parts.fragment:
        raise NotAllowed("send the URL without a user, a password and a fragment")
    if not NAME.fullmatch(host):
        raise NotAllowed("the URL names no host: send one like https://games.example/webhooks")
    port = USUAL_PORTS[parts.scheme] if port is None else port
    if port not in USUAL_PORTS.values() and port < 1024:
        raise NotAllowed("send a URL whose port is 80, 443 or above 1023")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path)


def addresses(
    target: Target, allowed: Rules, lookup: Lookup, within_s: float = LOOKUP_S
) -> list[str]:
    """All addresses of a target's name, if each of them may be sent to. Raises NotAllowed."""
    found = _in_time(lookup, target, min(within_s, LOOKUP_S))
    if not found or not (allowed.private or all(map(is_public, found))):
        raise NotAllowed(NOT_PUBLIC)
    return found


def _in_time(lookup: Lookup, target: Target, within_s: float) -> list[str]:
    """What is found by then: a name server that says nothing can't be told to end, only be left behind."""
    found: list[str] = []

    def look() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(lookup(target.host, target.port))

    thread = threading.Thread(target=look, name="lookup", daemon=True)
    thread.start()
    thread.join(within_s)
    return [] if thread.is_alive() else found


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, also where it carries another within."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if int(ip) >> 32 & 0xFFFFFFFF in ISATAP and not is_public(str(_last(ip))):
            return False
        if (within := _within(ip)) is not None:
            return is_public(str(within))
        if ip not in GLOBAL_V6:
            return False
    if any(ip in network for network in RESERVED):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _within(ip: IPv6Address) -> IPv4Address | None:
    """The older address that this one stands for."""
    if ip in NAT64:
        return _last(ip)
    if ip.teredo:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour


def _last(ip: IPv6Address) -> IPv4Address:
    return IPv4Address(int(ip) & 0xFFFFFFFF)


def system_lookup(host: str, port: int) -> list[str]:
    """As this machine resolves names."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
