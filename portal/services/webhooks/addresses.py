"""Where webhooks may be sent: which URLs, and which addresses their names may lead to.

A name is looked up once for a connection, every address it has is checked, and the connection is made
to one of exactly those: what the name says a moment later doesn't matter.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
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
        raise NotAllowed(f"a URL has up to {MAX_URL} visible ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAllowed("that is no URL") from None
    if parts.scheme not in (("https", "http") if allowed.plain_http else ("https",)):
        raise NotAllowed("a URL starts with https://")
    if "@" in parts.netloc or parts.fragment:
        raise NotAllowed("a URL carries no password and no fragment")
    if not NAME.fullmatch(host):
        raise NotAllowed("the URL names no host")
    port = USUAL_PORTS[parts.scheme] if port is None else port
    if port not in USUAL_PORTS.values() and port < 1024:
        raise NotAllowed("the port is 80, 443 or above 1023")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path)


def addresses(target: Target, allowed: Rules, lookup: Lookup) -> list[str]:
    """All addresses of a target's name, if each of them may be sent to. Raises NotAllowed."""
    try:
        found = lookup(target.host, target.port)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise NotAllowed("the URL's host has no address")
    if not allowed.private and not all(map(is_public, found)):
        raise NotAllowed("the URL's host has a private or reserved address")
    return found


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, also where it carries another within."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (within := _within(ip)) is not None:
        return is_public(str(within))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _within(ip: IPv6Address) -> IPv4Address | None:
    """The older address that this one stands for."""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.teredo:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour


def system_lookup(host: str, port: int) -> list[str]:
    """As this machine resolves names."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
