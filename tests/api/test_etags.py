"""ETags: who has the current answer is told so, and nobody is told so of an old one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from portal import create_app
from portal.services import assets, clients, holds
from tests.api.conftest import Api
from tests.conftest import settings_for
from tests.factories import convert_due

USER = "/users/{user}"
POLLED = [
    USER,
    f"{USER}/tokens/today",
    f"{USER}/tokens/today?limit=1",
    f"{USER}/stats",
    f"{USER}/wallets",
    f"{USER}/wallets/DREAM",
    f"{USER}/wallets/GOLD_COIN",
    f"{USER}/wallets/GOLD_COIN?at=2100-01-01T00:00:00Z",
    f"{USER}/wallets/GOLD_COIN/transactions",
    f"{USER}/wallets/USD/transactions?limit=2",
    f"{USER}/wallets/GOLD_COIN/holds",
    f"{USER}/wallets/GOLD_COIN/holds/{{hold}}",
    f"{USER}/usd/history",
    "/assets",
    "/conversions",
    "/conversions?limit=1",
]
WHEN_READ = ("as_of", "at")


@pytest.fixture(scope="module")
def user(api: Api) -> str:
    """Somebody with a win, credits and a hold that is soon over."""
    made = api.user("Europe/Berlin")
    api.won(made, "0.5")
    call(api, made, "top-ups", amount="500")
    return made


@pytest.fixture(scope="module")
def hold(api: Api, user: str) -> str:
    soon = (api.now() + timedelta(hours=20)).isoformat()
    made = call(api, user, "holds", amount="5", expires_at=soon)
    return str(made["hold"]["hold_id"])


def call(api: Api, user: str, noun: str, **body: Any) -> Any:
    path = f"/users/{user}/wallets/GOLD_COIN/{noun}"
    answer = api.post(path, {"reference": api.new_key()} | body, key=api.new_key())
    assert answer.status_code == 201, answer.text
    return answer.json


def in_app(api: Api, work: Callable[[], Any]) -> None:
    with api.app.app_context():
        work()


def ask(api: Api, path: str, tags: str) -> Any:
    return api.get(path, headers={"If-None-Match": tags})


def tag(api: Api, path: str) -> str:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["ETag"])


def without_time(body: Any) -> Any:
    return {name: value for name, value in body.items() if name not in WHEN_READ}


@pytest.fixture(params=POLLED)
def path(request: pytest.FixtureRequest, user: str, hold: str) -> str:
    return str(request.param).replace("{user}", user).replace("{hold}", hold)


# --- One answer


def test_an_answer_that_is_still_right_is_not_sent_again(api: Api, path: str) -> None:
    if "conversions" in path:
        a_conversion(api, "")
    first = api.get(path)
    again = ask(api, path, first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    for answer in (first, again):
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization"
        assert answer.headers["X-Request-Id"]
    assert "Content-Type" not in again.headers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{tag}", 304),
        ("{strong}", 304),
        ('"other", {tag}', 304),
        ('W/"other",{strong} , "third"', 304),
        ("*", 304),
        ('"other"', 200),
        ('W/"other"', 200),
        ("", 200),
        ("{bare}x", 200),
    ],
)
def test_tags_come_one_or_many_weak_or_strong(api: Api, user: str, sent: str, status: int) -> None:
    known = tag(api, f"/users/{user}/stats")
    strong = known.removeprefix("W/")
    tags = sent.format(tag=known, strong=strong, bare=strong.strip('"'))
    assert ask(api, f"/users/{user}/stats", tags).status_code == status


def test_nothing_is_current_that_is_not_there(api: Api, user: str) -> None:
    known = tag(api, f"/users/{user}/stats")
    for path in ("/users/999999/stats", "/users/999999", f"/users/{user}/wallets/NOTHING"):
        for tags in ("*", known):
            assert ask(api, path, tags).status_code == 404
    wrong = ask(api, f"/users/{user}/stats?limit=1", "*")
    assert (wrong.status_code, "ETag" in wrong.headers) == (422, False)


def test_a_tag_fits_its_own_address_user_and_query_only(api: Api, user: str) -> None:
    other = api.user()
    paths = [
        *(f"/users/{each}/{noun}" for each in (user, other) for noun in ("stats", "wallets")),
        *(f"/users/{user}/tokens/today?limit={number}" for number in (1, 2)),
    ]
    tags = [tag(api, path) for path in paths]
    assert len(set(tags)) == len(paths)
    for path, own in zip(paths, tags, strict=True):
        others = ", ".join(each for each in tags if each != own)
        assert ask(api, path, others).status_code == 200


def test_who_may_not_read_is_not_told_what_is_current(api: Api, user: str) -> None:
    known = tag(api, f"/users/{user}/stats")
    wrong = {"headers": {"If-None-Match": known}}
    assert api.get(f"/users/{user}/stats", token="dream_no", **wrong).status_code == 401
    blind = api.key_with("admin")
    assert api.get(f"/users/{user}/stats", token=blind, **wrong).status_code == 403


def test_a_tag_is_the_same_in_every_process_of_a_version_and_settings(
    api: Api, user: str, shared_database: URL, tmp_path: Path
) -> None:
    settings = settings_for(shared_database, tmp_path)
    path, tags = f"/users/{user}", set()
    for each in (settings, settings, replace(settings, regions=("elsewhere",))):
        app = create_app(each)
        tags.add(tag(replace(api, app=app), path))
        app.extensions["dreamland"].engine.dispose()
    assert tag(api, path) in tags
    assert len(tags) == 2


# --- Changes


def a_win(api: Api, user: str) -> None:
    api.won(user, "0.1")


def a_spend(api: Api, user: str) -> None:
    call(api, user, "spends", amount="1")


def a_conversion(api: Api, _: str) -> None:
    api.won(api.user(), "0.1")
    api.books.next_hour()
    in_app(api, convert_due)


def a_profile(api: Api, user: str) -> None:
    assert api.call("PATCH", f"/users/{user}", json={"display_name": "Io"}).status_code == 200


def a_zone_to_come(api: Api, user: str) -> None:
    zone = {"time_zone": "Asia/Tokyo"}
    assert api.call("PATCH", f"/users/{user}", json=zone).status_code == 200


def a_midnight(api: Api, _: str) -> None:
    """The next one, which brings a zone that was to come."""
    now = api.now()
    api.books.set_clock(
        now.replace(hour=23, minute=5) if now.hour < 23 else now + timedelta(days=1)
    )


def a_new_asset(api: Api, _: str) -> None:
    in_app(api, lambda: assets.add(f"RUBY_{next(api.numbers)}", "Rubies", 1))


def an_expiry(api: Api, _: str) -> None:
    api.books.set_clock(api.now() + timedelta(hours=30))
    in_app(api, holds.expire_due)


CHANGES: list[tuple[Callable[[Api, str], None], set[str]]] = [
    (a_win, {"tokens/today", "stats", "wallets", "wallets/DREAM"}),
    (a_spend, {"wallets", "wallets/GOLD_COIN", "wallets/GOLD_COIN/transactions"}),
    (a_conversion, {"tokens/today", "stats", "wallets", "wallets/DREAM", "/conversions"}),
    (a_profile, {""}),
    (a_zone_to_come, {""}),
    (a_midnight, {"", "tokens/today", "stats", "usd/history"}),
    (a_new_asset, {"wallets", "/assets"}),
    (an_expiry, {"wallets", "wallets/GOLD_COIN/holds"}),
]


def test_no_old_answer_is_ever_called_current(api: Api, user: str, hold: str) -> None:
    """Whatever changes: an answer that is now another is sent, on every route that is polled."""
    paths = [each.replace("{user}", user).replace("{hold}", hold) for each in POLLED]
    for change, shown in CHANGES:
        before = {path: api.get(path) for path in paths}
        change(api, user)
        changed = set()
        for path, old in before.items():
            now, asked = api.get(path), ask(api, path, old.headers.get("ETag", '"none"'))
            if without_time(now.json) != without_time(old.json):
                changed.add(path)
                assert asked.status_code == 200, (change.__name__, path)
                assert asked.headers["ETag"] != old.headers["ETag"]
        wanted = {
            each if each.startswith("/") else f"/users/{user}/{each}".rstrip("/") for each in shown
        }
        assert wanted <= changed, change.__name__


def test_a_waiting_hour_that_goes_on_is_seen(api: Api) -> None:
    """A run that changes without a new hour: its state, its rate, its progress."""
    a_conversion(api, "")
    known = tag(api, "/conversions")
    with api.owner.begin() as connection:
        run = "UPDATE conversion_runs SET {} WHERE hour = (SELECT max(hour) FROM conversion_runs)"
        connection.exec_driver_sql(run.format("problem = 'x'"))
        connection.exec_driver_sql(run.format("problem = NULL"))
    assert ask(api, "/conversions", known).status_code == 200


def test_every_read_of_one_user_is_tagged(api: Api) -> None:
    """A new route that games poll is on the list above, or says why not here."""
    reads = {
        rule.rule.removeprefix("/api/v1")
        for rule in api.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.startswith("/api/v1/users/")
    }
    tested = {
        path.partition("?")[0]
        .replace("{user}", "<user_id>")
        .replace("{hold}", "<hold_id>")
        .replace("DREAM", "<asset>")
        .replace("GOLD_COIN", "<asset>")
        .replace("USD", "<asset>")
        for path in POLLED
    }
    assert reads <= tested


def test_a_client_of_another_network_is_not_told_either(api: Api, user: str) -> None:
    known = tag(api, f"/users/{user}/stats")
    token = api.key_with("read", client="elsewhere")
    with api.app.app_context():
        clients.set_limits("elsewhere", networks=["192.0.2.0/24"])
    answer = api.get(f"/users/{user}/stats", token=token, headers={"If-None-Match": known})
    assert answer.status_code == 403
