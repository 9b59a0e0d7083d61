"""All settings: read once from the environment, typed, checked at boot.

A setting that is wrong or missing raises ConfigError with its name and what to do about it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

Environment = Literal["development", "testing", "production"]
MAX_RATE, MAX_RATE_DECIMALS = 10**12, 18
LOCAL_URL, LOCAL_SENDER = "http://127.0.0.1:{}", "Dreamland <no-reply@dreamland.example>"
"""On a developer's machine."""
LOCAL_MAIL = ("file:", "log:")
SENDER = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
DEMO_SECRET = "demo-secret-for-development-only"  # noqa: S105 - refused in production


class ConfigError(Exception):
    """A setting is missing or wrong; the message is one line that says which and how to mend it."""


@dataclass(frozen=True)
class Settings:
    """Times are timedeltas, amounts and rates exact decimals, addresses URLs."""

    environment: Environment
    database_url: str
    redis_url: str
    secret_key: str
    regions: tuple[str, ...]
    var_dir: Path
    win_max_age: timedelta
    win_max_ahead: timedelta
    zone_change_spacing: timedelta
    rate_source: Literal["fixed", "http"]
    rate_fixed: Decimal
    rate_url: str
    rate_timeout_s: float
    rate_attempts: int
    rate_backoff_s: float
    rate_max_move_percent: Decimal
    rate_grace: timedelta
    chunk_users: int
    import_max_age: timedelta
    import_max_bytes: int
    import_max_lines: int
    import_chunk_lines: int
    import_keep: timedelta
    import_max_unfinished: int
    """A client's imports that are not done: what it sends more must wait."""
    queue_limit: int
    batch_limit: int
    statement_timeout_ms: int
    webhook_private: bool
    webhook_timeout_s: float
    webhook_patience: timedelta
    log_level: str
    proxies: int
    """How many trusted proxies stand in front: the caller's address is what the first of them saw."""
    rate_limit_per_minute: int
    """Of a client that has no limit of its own; 0: none."""
    metrics_host: str
    metrics_port: int
    """0: no metrics."""
    public_url: str
    """The portal's address for people, as it stands in mails; without a slash at its end."""
    mail_url: str
    """Where mails go: `file:`, `log:`, or a server, `smtp://` or `smtps://`."""
    mail_from: str

    @property
    def is_production(self) -> bool:
        """Whether real people's books are kept here."""
        return self.environment == "production"


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises ConfigError."""
    settings = Settings(
        environment=cast(
            Environment, _one_of(env, "DREAMLAND_ENV", "development", "testing", "production")
        ),
        database_url=database_url(_required(env, "DATABASE_URL")),
        redis_url=env.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
        secret_key=env.get("SECRET_KEY") or DEMO_SECRET,
        regions=tuple(env.get("REGIONS", "global").split(",")),
        var_dir=Path(env.get("VAR_DIR", "var")),
        win_max_age=timedelta(hours=_number(env, "WIN_MAX_AGE_HOURS", 24)),
        win_max_ahead=timedelta(seconds=_number(env, "WIN_MAX_AHEAD_SECONDS", 60)),
        zone_change_spacing=timedelta(days=_number(env, "ZONE_CHANGE_DAYS", 30)),
        rate_source=cast(Literal["fixed", "http"], _one_of(env, "RATE_SOURCE", "fixed", "http")),
        rate_fixed=_decimal(env, "RATE_FIXED", "0.15"),
        rate_url=env.get("RATE_URL", ""),
        rate_timeout_s=_number(env, "RATE_TIMEOUT_SECONDS", 5),
        rate_attempts=_whole(env, "RATE_ATTEMPTS", 3),
        rate_backoff_s=_number(env, "RATE_BACKOFF_SECONDS", 1),
        rate_max_move_percent=_decimal(env, "RATE_MAX_MOVE_PERCENT", "25"),
        rate_grace=timedelta(seconds=_number(env, "RATE_GRACE_SECONDS", 3600)),
        chunk_users=_whole(env, "CONVERSION_CHUNK_USERS", 1000),
        import_max_age=timedelta(days=_number(env, "IMPORT_MAX_AGE_DAYS", 30)),
        import_max_bytes=_whole(env, "IMPORT_MAX_BYTES", 64 * 1024 * 1024),
        import_max_lines=_whole(env, "IMPORT_MAX_LINES", 1_000_000),
        import_chunk_lines=_whole(env, "IMPORT_CHUNK_LINES", 500),
        import_keep=timedelta(days=_number(env, "IMPORT_KEEP_DAYS", 90)),
        import_max_unfinished=_whole(env, "IMPORT_MAX_UNFINISHED", 20),
        queue_limit=_whole(env, "POST_QUEUE_LIMIT", 2000),
        batch_limit=_whole(env, "POST_BATCH_LIMIT", 500),
        statement_timeout_ms=_whole(env, "STATEMENT_TIMEOUT_MS", 15000),
        webhook_private=_one_of(env, "WEBHOOK_PRIVATE_ADDRESSES", *_private_choices(env)) == "yes",
        webhook_timeout_s=_number(env, "WEBHOOK_TIMEOUT_SECONDS", 15),
        webhook_patience=timedelta(days=_number(env, "WEBHOOK_PATIENCE_DAYS", 3)),
        log_level=_one_of(env, "LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
        proxies=_count(env, "PROXIES", 0, 10),
        rate_limit_per_minute=_count(env, "RATE_LIMIT_PER_MINUTE", 60_000, 10**8),
        metrics_host=env.get("METRICS_HOST", "127.0.0.1"),
        metrics_port=_count(env, "METRICS_PORT", 9464, 65_535),
        public_url=(env.get("PUBLIC_URL") or LOCAL_URL.format(env.get("PORT") or 5000)).rstrip("/"),
        mail_url=env.get("MAIL_URL") or "file:",
        mail_from=env.get("MAIL_FROM") or LOCAL_SENDER,
    )
    _check(settings)
    return settings


def database_url(url: str) -> str:
    """The URL with psycopg2 named: SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgres", "postgresql"):
        raise ConfigError("DATABASE_URL must start with postgresql://")
    return f"postgresql+psycopg2://{rest}"


def _check(settings: Settings) -> None:
    if settings.rate_source == "http" and urlsplit(settings.rate_url).scheme not in (
        "http",
        "https",
    ):
        raise ConfigError("RATE_URL must be an http(s) address when RATE_SOURCE is http")
    if not 1 <= settings.chunk_users <= 1000:
        raise ConfigError("CONVERSION_CHUNK_USERS must be from 1 to 1000")
    if not 1 <= settings.import_chunk_lines <= 1000:
        raise ConfigError("IMPORT_CHUNK_LINES must be from 1 to 1000")
    if not 1 <= settings.batch_limit <= 1000:
        raise ConfigError("POST_BATCH_LIMIT must be from 1 to 1000")
    decimals = -int(settings.rate_fixed.as_tuple().exponent)
    if not 0 < settings.rate_fixed < MAX_RATE or decimals > MAX_RATE_DECIMALS:
        raise ConfigError("RATE_FIXED must be above zero, below 10^12, with at most 18 decimals")
    if settings.rate_max_move_percent < 0:
        raise ConfigError("RATE_MAX_MOVE_PERCENT can't be below zero")
    if urlsplit(settings.redis_url).scheme not in ("redis", "rediss", "unix"):
        raise ConfigError("REDIS_URL must start with redis://, rediss:// or unix://")
    if not all(settings.regions) or len(set(settings.regions)) < len(settings.regions):
        raise ConfigError("REGIONS must be different names with commas between them")
    if settings.is_production and (
        settings.secret_key == DEMO_SECRET or len(settings.secret_key) < 32
    ):
        raise ConfigError("SECRET_KEY must be set, to at least 32 characters, in production")
    _check_mail(settings)


def _check_mail(settings: Settings) -> None:
    """That people get mail, from somebody, with addresses that lead here."""
    is_production = settings.is_production
    schemes = ("https",) if is_production else ("http", "https")
    if not _is_origin(settings.public_url, *schemes) or "@" in settings.public_url:
        kind = "https://" if is_production else "http(s)://"
        raise ConfigError(f"PUBLIC_URL must be the portal's {kind} address, without a path")
    is_local = settings.mail_url in LOCAL_MAIL and not is_production
    if not is_local and not _is_origin(settings.mail_url, "smtp", "smtps"):
        others = "" if is_production else ", file: or log:"
        raise ConfigError(f"MAIL_URL must be smtp://… or smtps://…, with no path{others}")
    address = parseaddr(settings.mail_from)[1]
    if not SENDER.fullmatch(address) or not settings.mail_from.isprintable():
        raise ConfigError("MAIL_FROM must be an address, or Name <address>")
    if is_production and settings.mail_from == LOCAL_SENDER:
        raise ConfigError("MAIL_FROM must be set in production: whom mails are from")


def _is_origin(url: str, *schemes: str) -> bool:
    """Whether it is a scheme with a host, perhaps a port, and nothing behind."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and not (parts.path or parts.query or parts.fragment) and url.isprintable()


def _private_choices(env: Mapping[str, str]) -> tuple[str, ...]:
    """In production webhooks never reach addresses of its own network; elsewhere they do, unless told."""
    return ("no",) if env.get("DREAMLAND_ENV") == "production" else ("yes", "no")


def _required(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise ConfigError(f"{name} is not set; bin/run and bin/flask set it for you")
    return env[name]


def _one_of(env: Mapping[str, str], name: str, *choices: str) -> str:
    value = env.get(name, choices[0])
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(env.get(name, default))
    except ValueError:
        raise ConfigError(f"{name} must be a number, not {env[name]!r}") from None
    if not 0 < value < 10**8:
        raise ConfigError(f"{name} must be above zero and below 10^8, not {env[name]!r}")
    return value


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    value = _number(env, name, default)
    if value != int(value):
        raise ConfigError(f"{name} must be a whole number, not {env[name]!r}")
    return int(value)


def _count(env: Mapping[str, str], name: str, default: int, largest: int) -> int:
    value = env.get(name, str(default))
    if not (value.isascii() and value.isdecimal()) or int(value) > largest:
        raise ConfigError(f"{name} must be a whole number from 0 to {largest}, not {value!r}")
    return int(value)


def _decimal(env: Mapping[str, str], name: str, default: str) -> Decimal:
    try:
        value = Decimal(env.get(name, default))
    except InvalidOperation:
        raise ConfigError(f"{name} must be a decimal number, not {env[name]!r}") from None
    if not value.is_finite():
        raise ConfigError(f"{name} must be a finite number")
    return value
