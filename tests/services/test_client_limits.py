"""What a client is limited to: games, regions and networks, checked as they are written and as calls come."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask

from config import Settings
from portal import create_app
from portal.ledger.errors import Refused
from portal.services import clients
from portal.services.clients import Limits
from portal.services.users import REGION_SHIFT


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, regions=("eu", "us", "asia"))


@pytest.fixture(autouse=True)
def in_context(app: Flask) -> Any:
    with app.app_context():
        yield


def networks(*blocks: str) -> Limits:
    return Limits(client_id=1, networks=tuple(ip_network(block) for block in blocks))


def test_a_client_without_limits_may_do_anything() -> None:
    free = Limits(client_id=1)
    assert free.refusal(3 << REGION_SHIFT, "maze") is None
    assert free.is_from("192.0.2.1")
    assert free.is_from(None)


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        (None, False),
        ("somewhere", False),
        ("192.0.2.7:80", False),
    ],
)
def test_a_call_is_let_in_from_the_networks_that_are_listed(
    address: str | None, *, is_in: bool
) -> None:
    assert networks("192.0.2.0/24", "2001:db8::/32").is_from(address) is is_in


def test_a_client_of_regions_sees_their_users_only() -> None:
    limited = Limits(client_id=1, regions=frozenset({0, 2}))
    seen = [limited.sees((region << REGION_SHIFT) | 5) for region in range(4)]
    assert seen == [True, False, True, False]
    assert "other regions" in str(limited.refusal(1 << REGION_SHIFT))


def test_limits_are_kept_and_lifted() -> None:
    clients.add("studio")
    set_ = clients.set_limits(
        "studio", games=["maze", "maze", "rush"], regions=["us"], networks=["::1/128"], rate_limit=5
    )
    assert (set_.games, set_.regions, set_.networks) == (["maze", "rush"], ["us"], ["::1/128"])
    limits = clients.limits_of(set_.id)
    assert (limits.regions, limits.rate_limit) == (frozenset({1}), 5)
    assert limits.refusal(1 << REGION_SHIFT, "maze") is None
    assert (
        limits.refusal(1 << REGION_SHIFT, "sky") == "the client is limited to the games maze, rush"
    )
    assert clients.set_limits("studio", rate_limit=0).games == ["maze", "rush"]
    free = clients.set_limits("studio", games=None, regions=None, networks=None, rate_limit=None)
    assert clients.limits_of(free.id) == Limits(client_id=free.id)


def test_a_caller_carries_its_clients_limits() -> None:
    token = clients.create_key("studio", ["read"])
    clients.set_limits("studio", regions=["asia"], networks=["10.0.0.0/8"])
    caller = clients.caller_of(token)
    assert caller
    assert (caller.regions, caller.is_from("10.9.8.7"), caller.games) == (
        frozenset({2}),
        True,
        None,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"games": []},
        {"games": [""]},
        {"games": ["x" * 201]},
        {"games": ["a\nb"]},
        {"regions": ["mars"]},
        {"regions": []},
        {"networks": ["10.0.0.1/8"]},
        {"networks": ["everywhere"]},
        {"networks": ["fe80::1%eth0/128"]},
        {"networks": []},
        {"rate_limit": -1},
        {"rate_limit": 10**9},
    ],
    ids=str,
)
def test_a_limit_that_makes_no_sense_is_refused_and_changes_nothing(wrong: dict[str, Any]) -> None:
    clients.add("studio")
    before = clients.every()
    with pytest.raises(Refused) as refused:
        clients.set_limits("studio", **wrong)
    assert refused.value.code == "validation_failed"
    assert clients.every() == before


def test_a_client_that_is_not_there_is_not_limited() -> None:
    with pytest.raises(Refused, match="there is no client"):
        clients.set_limits("nobody", rate_limit=5)
    for name in ("", "  ", "x" * 201, "a\nb"):
        with pytest.raises(Refused, match="name"):
            clients.add(name)


def test_a_region_that_is_no_longer_set_up_is_nobodys(settings: Settings) -> None:
    token = clients.create_key("studio", ["read"])
    clients.set_limits("studio", regions=["asia"])
    app = create_app(replace(settings, regions=("eu", "us")))
    with app.app_context():
        caller = clients.caller_of(token)
        assert caller
        assert caller.regions == frozenset()
    app.extensions["dreamland"].engine.dispose()


@pytest.mark.parametrize("block", ["::ffff:192.0.2.0/120", "::ffff:0:0/96", "::ffff:192.0.2.7"])
def test_an_ipv4_network_written_as_ipv6_is_refused_as_no_call_ever_comes_from_it(
    block: str,
) -> None:
    clients.add("mapped")
    with pytest.raises(Refused, match=r"write its IPv4 network, as 192\.0\.2\.0/24"):
        clients.set_limits("mapped", networks=["192.0.2.0/24", block])
    assert clients.set_limits("mapped", networks=["::/0"]).networks == ["::/0"]
