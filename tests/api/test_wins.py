"""Wins over HTTP: booked once, capped by the user's day, told the same at every retry."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.api.conftest import Api

WIN_FIELDS = [
    *(
        "entry_id",
        "user_id",
        "asset",
        "amount",
        "occurred_at",
        "booked_at",
        "day",
        "game",
        "reference",
    )
]


@pytest.fixture
def user(api: Api) -> str:
    return api.user()


def send(api: Api, user: str, key: str, **fields: object) -> Any:
    return api.post(f"/users/{user}/wins", api.win(**fields), key=key)


def test_a_win_is_answered_as_promised(api: Api, user: str) -> None:
    at = api.now() - timedelta(minutes=5)
    answer = send(api, user, "k", amount="0.250", occurred_at=at.isoformat(), reference="round 7")
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    win = answer.json["win"]
    assert list(win) == WIN_FIELDS
    assert win["entry_id"] == f"{user}-1"
    assert (win["user_id"], win["asset"], win["amount"]) == (user, "DREAM", "0.25")
    assert (win["game"], win["reference"], win["day"]) == ("maze", "round 7", str(at.date()))
    assert datetime.fromisoformat(win["occurred_at"]) == at
    assert abs(datetime.fromisoformat(win["booked_at"]) - api.now()) < timedelta(seconds=5)
    assert answer.json["today"] == {
        "day": str(at.date()),
        "won": "0.25",
        "limit": "5",
        "remaining": "4.75",
    }


def test_times_are_answered_in_utc(api: Api, user: str) -> None:
    at = api.now().astimezone(timezone(timedelta(hours=5, minutes=45))) - timedelta(minutes=1)
    win = send(api, user, "k", occurred_at=at.isoformat()).json["win"]
    for name in ("occurred_at", "booked_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", win[name])
    assert datetime.fromisoformat(win["occurred_at"]) == at


@pytest.mark.parametrize(
    "write",
    [
        lambda at: at.isoformat().replace("+00:00", "Z"),
        lambda at: at.isoformat().replace("+00:00", "z").replace("T", "t"),
        lambda at: at.isoformat().replace("T", " "),
        lambda at: at.replace(microsecond=0).isoformat(),
        lambda at: at.isoformat().replace("+00:00", "-00:00"),
        lambda at: at.astimezone(timezone(timedelta(hours=-12))).isoformat(),
        lambda at: at.astimezone(timezone(timedelta(hours=14))).isoformat(),
        lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.5Z"),
    ],
)
def test_every_form_of_rfc_3339_is_read(api: Api, user: str, write: Any) -> None:
    at = api.now() - timedelta(minutes=1)
    assert send(api, user, "k", occurred_at=write(at)).status_code == 201


@pytest.mark.parametrize(
    "amount", ["0.000000000000000001", "5", "4.999999999999999999", "1.000", "0.10"]
)
def test_every_canonical_amount_is_taken(api: Api, user: str, amount: str) -> None:
    win = send(api, user, "k", amount=amount).json["win"]
    assert win["amount"] == (amount.rstrip("0").rstrip(".") if "." in amount else amount)


@pytest.mark.parametrize(
    "words", ["x" * 200, "🎲" * 200, "日本語", "  ", "<b>&amp;</b>", "'; --", "a\u202eb", "\ufeff"]
)
def test_any_text_of_up_to_200_characters_is_kept(api: Api, user: str, words: str) -> None:
    answer = send(api, user, "k", game=words, reference=words)
    assert answer.status_code == 201
    assert (answer.json["win"]["game"], answer.json["win"]["reference"]) == (words, words)


@pytest.mark.parametrize(
    "key", ["k", "k" * 255, "!", "~", '"quoted"', "a:b/c?d=e&f", "%00", "0", "null"]
)
def test_any_visible_ascii_is_a_key(api: Api, user: str, key: str) -> None:
    assert send(api, user, key).status_code == 201


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_have_parameters(api: Api, user: str, content_type: str) -> None:
    body = f'{{"amount": "1", "occurred_at": "{api.now().isoformat()}", "game": "g", "reference": "r"}}'
    options = {"data": body, "headers": {"Content-Type": content_type}}
    assert api.call("POST", f"/users/{user}/wins", key="k", **options).status_code == 201


def test_the_scheme_of_the_key_may_be_written_small(api: Api, user: str) -> None:
    headers = {"Authorization": f"bearer {api.token}"}
    assert api.get(f"/users/{user}", headers=headers).status_code == 200


# --- Idempotency


def test_the_same_request_again_gets_the_very_same_win(api: Api, user: str) -> None:
    body = api.win(amount="1")
    first = api.post(f"/users/{user}/wins", body, key="k")
    api.won(user, "2")
    before = api.rows()
    again = api.post(f"/users/{user}/wins", body, key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["win"] == first.json["win"]
    assert again.json["today"]["won"] == "3"
    assert api.rows() == before


def test_a_request_is_the_same_however_it_is_written(api: Api, user: str) -> None:
    at = api.now().replace(microsecond=500000) - timedelta(minutes=1)
    first = send(api, user, "k", amount="1", occurred_at=at.isoformat())
    assert first.status_code == 201
    india = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    for amount, moment in (
        ("1.0", at.isoformat()),
        ("1.000000000000000000", at.isoformat().replace("+00:00", "Z")),
        ("1", india.isoformat()),
        ("1", at.strftime("%Y-%m-%d %H:%M:%S.5z")),
    ):
        again = send(api, user, "k", amount=amount, occurred_at=moment)
        assert (again.status_code, again.json["win"]) == (200, first.json["win"])


@pytest.mark.parametrize(
    "change",
    [{"amount": "0.2"}, {"game": "chess"}, {"reference": "r2"}, {"occurred_at": "earlier"}],
    ids=lambda change: next(iter(change)),
)
def test_a_key_with_another_request_is_refused(api: Api, user: str, change: dict[str, str]) -> None:
    body = api.win()
    assert api.post(f"/users/{user}/wins", body, key="k").status_code == 201
    if "occurred_at" in change:
        change = {"occurred_at": (api.now() - timedelta(minutes=9)).isoformat()}
    before = api.rows()
    answer = api.post(f"/users/{user}/wins", body | change, key="k")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert api.rows() == before


def test_keys_of_two_users_and_of_two_clients_are_apart(api: Api, user: str) -> None:
    body = api.win()
    other_client = api.key_with("wins:write", client="other-server")
    assert api.post(f"/users/{user}/wins", body, key="k").status_code == 201
    assert api.post(f"/users/{api.user()}/wins", body, key="k").status_code == 201
    assert api.post(f"/users/{user}/wins", body, key="k", token=other_client).status_code == 201


def test_a_key_survives_the_change_of_the_clients_secret(api: Api, user: str) -> None:
    body = api.win()
    tokens = [api.key_with("wins:write", client="rotating") for _ in range(2)]
    answers = [api.post(f"/users/{user}/wins", body, key="k", token=token) for token in tokens]
    assert [answer.status_code for answer in answers] == [201, 200]


def test_a_refused_win_may_be_sent_again_with_its_key(api: Api, user: str) -> None:
    late = api.win(occurred_at=(api.now() - timedelta(hours=30)).isoformat())
    assert api.post(f"/users/{user}/wins", late, key="k").status_code == 422
    assert send(api, user, "k").status_code == 201


def test_a_retry_a_week_later_still_finds_its_win(api: Api, user: str) -> None:
    body = api.win(amount="5")
    first = api.post(f"/users/{user}/wins", body, key="k")
    api.books.set_clock(api.now() + timedelta(days=7))
    again = api.post(f"/users/{user}/wins", body, key="k")
    assert (again.status_code, again.json["win"]) == (200, first.json["win"])
    assert again.json["today"]["day"] == first.json["win"]["day"]


def test_sixteen_times_the_same_key_at_once_is_one_win(api: Api, user: str) -> None:
    body = api.win()
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(api.post, f"/users/{user}/wins", body, key="k") for _ in range(16)]
        answers = [future.result() for future in sent]
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({str(answer.json["win"]) for answer in answers}) == 1


# --- The cap


def test_a_win_over_the_limit_tells_what_would_have_fitted(api: Api, user: str) -> None:
    api.won(user, "4.5")
    before = api.rows()
    answer = send(api, user, "k", amount="0.500000000000000001")
    assert (answer.status_code, answer.json["code"]) == (422, "daily_limit_exceeded")
    figures = {name: answer.json[name] for name in ("limit", "used", "remaining")}
    assert figures == {"limit": "5", "used": "4.5", "remaining": "0.5"}
    assert api.rows() == before
    assert send(api, user, "k", amount=answer.json["remaining"]).json["today"]["remaining"] == "0"


def test_today_beside_a_late_win_is_the_wins_own_day(api: Api, user: str) -> None:
    api.won(user, "5")
    yesterday = api.now() - timedelta(hours=23)
    answer = send(api, user, "k", amount="2", occurred_at=yesterday.isoformat())
    assert answer.json["today"]["day"] == answer.json["win"]["day"] == str(yesterday.date())
    assert answer.json["today"]["remaining"] == "3"


def test_the_day_is_the_users_not_utcs(api: Api) -> None:
    at = api.now()
    for zone, hours in (("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)):
        win = api.won(api.user(zone), "1", at)["win"]
        assert win["day"] == str((at + timedelta(hours=hours)).date())


# --- The day's list


def test_the_list_of_today_is_newest_first_and_sums_up(api: Api, user: str) -> None:
    amounts = ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
    for amount in amounts:
        api.won(user, amount)
    api.won(user, "4", api.now() - timedelta(hours=23))
    page = api.read(f"/users/{user}/tokens/today")
    assert [win["amount"] for win in page["wins"]] == amounts[::-1]
    assert (page["total"], page["limit"], page["remaining"]) == ("2.8", "5", "2.2")
    assert (page["asset"], page["time_zone"], page["next_cursor"]) == ("DREAM", "UTC", None)
    assert page["day"] == str(datetime.fromisoformat(page["as_of"]).date())
    assert set(page["wins"][0]) == {*WIN_FIELDS, "converted"}
    assert {win["converted"] for win in page["wins"]} == {False}
    for size in (1, 2, 3, 6, 7, 8, 200):
        assert api.pages(f"/users/{user}/tokens/today", "wins", size) == page["wins"]


def test_a_win_booked_between_two_pages_moves_nothing(api: Api, user: str) -> None:
    for amount in ("0.1", "0.2", "0.3"):
        api.won(user, amount)
    first = api.read(f"/users/{user}/tokens/today?limit=2")
    api.won(user, "0.4")
    second = api.read(f"/users/{user}/tokens/today?limit=2&cursor={first['next_cursor']}")
    assert [win["amount"] for win in first["wins"] + second["wins"]] == ["0.3", "0.2", "0.1"]


def test_who_has_won_nothing_has_an_empty_day(api: Api, user: str) -> None:
    page = api.read(f"/users/{user}/tokens/today")
    assert (page["wins"], page["total"], page["remaining"]) == ([], "0", "5")


def test_the_list_of_today_is_whole_after_a_move_over_the_date_line(api: Api) -> None:
    """Westward the same date lasts up to 49 hours: its first wins are still of today."""
    user = api.user("Pacific/Kiritimati")
    early = api.now().replace(hour=10, minute=1, second=0) + timedelta(days=1)  # 00:01 there
    api.books.set_clock(early)
    api.won(user, "1", early)
    moved = api.call("PATCH", f"/users/{user}", json={"time_zone": "Pacific/Pago_Pago"})
    assert moved.status_code == 200
    api.books.set_clock(early + timedelta(hours=48))  # 23:01 of the same date, far in the west
    page = api.read(f"/users/{user}/tokens/today")
    assert (page["day"], page["total"]) == (str((early + timedelta(hours=14)).date()), "1")
    assert len(page["wins"]) == 1
    api.books.set_clock(api.now().replace(hour=12) + timedelta(days=1))


def test_stats_are_those_of_the_day(api: Api, user: str) -> None:
    api.won(user, "1.25")
    stats = api.read(f"/users/{user}/stats")
    assert list(stats) == [
        *("as_of", "day", "time_zone", "tokens_today", "limit", "remaining", "usd_balance")
    ]
    assert (stats["tokens_today"], stats["remaining"], stats["usd_balance"]) == (
        "1.25",
        "3.75",
        "0",
    )


def test_an_api_call_sets_no_cookie(api: Api, user: str) -> None:
    assert "Set-Cookie" not in send(api, user, "k").headers


def test_a_moment_in_the_far_future_of_the_machine_is_judged_by_the_ledger_clock(
    api: Api, user: str
) -> None:
    assert send(api, user, "k", occurred_at=datetime.now(UTC).isoformat()).status_code == 422
