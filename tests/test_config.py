"""Settings: typed, with defaults, and one line that names the one that is wrong."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import config
from config import ConfigError, Settings

URL = "postgresql://somebody@somewhere/books"
PRODUCTION = {
    "DREAMLAND_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "PUBLIC_URL": "https://dreamland.example.com",
    "MAIL_URL": "smtp://somebody:s3cret@mail.example.com:587",
    "MAIL_FROM": "Dreamland <no-reply@example.com>",
}


def load(**env: str) -> Settings:
    return config.load({"DATABASE_URL": URL, **env})


@pytest.mark.parametrize("rate", ["999999999999.123456789012345678", "0.000000000000000001", "1e3"])
def test_any_rate_that_the_database_can_hold_is_taken(rate: str) -> None:
    assert load(RATE_FIXED=rate).rate_fixed == Decimal(rate)


def test_only_the_database_must_be_named() -> None:
    settings = load()
    assert settings.environment == "development"
    assert not settings.is_production
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.regions == ("global",)
    assert settings.var_dir == Path("var")
    assert (settings.rate_source, settings.rate_fixed) == ("fixed", Decimal("0.15"))
    assert settings.win_max_age == timedelta(hours=24)
    assert settings.win_max_ahead == timedelta(seconds=60)
    assert settings.zone_change_spacing == timedelta(days=30)
    assert (settings.proxies, settings.rate_limit_per_minute) == (0, 60_000)
    assert (settings.metrics_host, settings.metrics_port) == ("127.0.0.1", 9464)


@pytest.mark.parametrize("name", ["PROXIES", "RATE_LIMIT_PER_MINUTE", "METRICS_PORT"])
def test_a_count_may_be_none_and_nothing_that_is_no_count(name: str) -> None:
    assert load(**{name: "0"})
    for wrong in ("-1", "1.5", "many", "", "1e3", "٣", "9" * 12):
        with pytest.raises(ConfigError, match=f"{name} must be a whole number"):
            load(**{name: wrong})


def test_settings_are_read_from_the_environment() -> None:
    settings = load(
        RATE_SOURCE="http",
        RATE_URL="https://rates.example/now",
        RATE_FIXED="0.000000000000000001",
        WIN_MAX_AGE_HOURS="0.5",
        REGIONS="eu,us",
        CONVERSION_CHUNK_USERS="7",
        VAR_DIR="/tmp/x",  # noqa: S108
    )
    assert settings.rate_url == "https://rates.example/now"
    assert settings.rate_fixed == Decimal("1e-18")
    assert settings.win_max_age == timedelta(minutes=30)
    assert (settings.regions, settings.chunk_users) == (("eu", "us"), 7)
    assert settings.var_dir == Path("/tmp/x")  # noqa: S108


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"]
)
def test_the_driver_is_psycopg2_whatever_the_url_says(scheme: str) -> None:
    assert config.database_url(f"{scheme}://a:b@c:5/d?e=f") == "postgresql+psycopg2://a:b@c:5/d?e=f"


def wrong() -> Iterator[tuple[str, str]]:
    yield from (("DATABASE_URL", url) for url in ("", "mysql://x", "sqlite://", "postgresql", "x"))
    yield from (("DREAMLAND_ENV", name) for name in ("", "prod", "Production", "staging"))
    yield from (("RATE_SOURCE", source) for source in ("", "ftp", "guess"))
    for rate in (
        "",
        "0",
        "-1",
        "abc",
        "NaN",
        "Infinity",
        "1e12",
        "1" + "0" * 40,
        "0.1234567890123456789",
    ):
        yield "RATE_FIXED", rate
    yield from (("RATE_MAX_MOVE_PERCENT", move) for move in ("-1", "x", "NaN", "sNaN"))
    for name in (
        "RATE_TIMEOUT_SECONDS",
        "WIN_MAX_AGE_HOURS",
        "WIN_MAX_AHEAD_SECONDS",
        "ZONE_CHANGE_DAYS",
    ):
        yield from ((name, number) for number in ("", "0", "-1", "x", "nan", "inf", "1e9"))
    for name in ("RATE_ATTEMPTS", "POST_QUEUE_LIMIT", "POST_BATCH_LIMIT", "STATEMENT_TIMEOUT_MS"):
        yield from ((name, number) for number in ("0", "0.5", "1.5", "-3", "many", "nan"))
    yield from (("CONVERSION_CHUNK_USERS", number) for number in ("0", "1001", "0.9", "x"))
    yield "POST_BATCH_LIMIT", "1001"
    yield from (("REGIONS", names) for names in ("", "eu,", ",eu", "eu,eu"))
    yield from (("REDIS_URL", url) for url in ("", "localhost:6379", "http://x", "memcached://x"))
    yield from (("LOG_LEVEL", level) for level in ("", "info", "TRACE"))


@pytest.mark.parametrize(("name", "value"), list(wrong()))
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(**{name: value})
    assert name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["", "rates.example", "ftp://rates.example", "/rate"])
def test_a_rate_api_needs_an_address(url: str) -> None:
    with pytest.raises(ConfigError, match="RATE_URL"):
        load(RATE_SOURCE="http", RATE_URL=url)


@pytest.mark.parametrize("secret", [None, "", "short", "k" * 31, config.DEMO_SECRET])
def test_production_needs_a_secret_of_its_own(secret: str | None) -> None:
    env = {"DREAMLAND_ENV": "production"} | ({} if secret is None else {"SECRET_KEY": secret})
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        load(**env)


def test_production_boots_with_a_secret() -> None:
    assert load(**PRODUCTION).is_production


def test_no_message_tells_the_secret() -> None:
    secret = "s3cret-but-too-short"
    with pytest.raises(ConfigError) as error:
        load(DREAMLAND_ENV="production", SECRET_KEY=secret)
    assert secret not in str(error.value)


def test_development_always_has_a_secret_to_sign_with() -> None:
    assert load(SECRET_KEY="").secret_key == load().secret_key == config.DEMO_SECRET


def test_webhooks_reach_private_addresses_in_development_and_never_in_production() -> None:
    assert load().webhook_private
    assert not load(WEBHOOK_PRIVATE_ADDRESSES="no").webhook_private
    assert not load(**PRODUCTION).webhook_private
    with pytest.raises(ConfigError, match="WEBHOOK_PRIVATE_ADDRESSES must be one of no"):
        load(**PRODUCTION, WEBHOOK_PRIVATE_ADDRESSES="yes")


def test_on_a_developers_machine_mails_are_files_and_links_lead_to_it() -> None:
    settings = load()
    assert settings.mail_url == "file:"
    assert settings.mail_from == "Dreamland <no-reply@dreamland.example>"
    assert settings.public_url == "http://127.0.0.1:5000"
    assert load(PORT="5055").public_url == "http://127.0.0.1:5055"
    assert load(PUBLIC_URL="http://localhost:8000/").public_url == "http://localhost:8000"
    assert load(PUBLIC_URL="", MAIL_URL="", MAIL_FROM="") == settings
    assert load(MAIL_URL="log:").mail_url == "log:"


@pytest.mark.parametrize("name", ["PUBLIC_URL", "MAIL_URL", "MAIL_FROM"])
def test_production_says_where_it_is_and_who_sends_its_mail(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load(**{**PRODUCTION, name: ""})


@pytest.mark.parametrize(
    "url",
    [
        *("http://dreamland.example.com", "dreamland.example.com", "https://", "https://x/portal"),
        *("https://x?y", "https://x#y", "https://a@x", "https://x:0", "https://x:99999", "ftp://x"),
    ],
)
def test_production_s_public_address_is_an_https_origin(url: str) -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL must be the portal's https:// address"):
        load(**{**PRODUCTION, "PUBLIC_URL": url})


@pytest.mark.parametrize(
    "url", ["file:", "log:", "smtp:", "smtp://", "http://x", "smtp://x:y", "smtps://u:s3cret/@x"]
)
def test_production_s_mails_go_to_a_server_and_no_message_tells_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="MAIL_URL must be smtp") as error:
        load(**{**PRODUCTION, "MAIL_URL": url})
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("sender", ["Dreamland", "a@b", "Dreamland <>", "a@b.c\nBcc: d@e.f", " "])
def test_mails_are_from_an_address(sender: str) -> None:
    with pytest.raises(ConfigError, match="MAIL_FROM must be an address"):
        load(MAIL_FROM=sender)
