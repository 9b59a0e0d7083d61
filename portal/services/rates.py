"""Rates: USD for a token in one hour, from where the settings say. Never a guessed one.

A rate that is missing, late, nonsense or has jumped is RateUnavailable: the hour then waits, tokens
stay tokens, and it is asked again; `set_rate` is a person's way out.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

import config
from config import Settings
from portal import ledger
from portal.ledger.conversion import Rate, latest_rate
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit

MAX_PAYLOAD = 64 * 1024
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
"""As JSON writes one. Decimal() would also take underscores, spaces and the digits of any script."""


class RateUnavailable(Exception):
    """Why an hour has no rate yet: one line for an admin."""


def fetch(hour: datetime, previous: Rate | None) -> Rate:
    """The rate of an hour from the configured source, held against the last one. Blocks.

    Raises RateUnavailable.
    """
    settings = runtime().settings
    if settings.rate_source == "fixed":
        return Rate(settings.rate_fixed, "fixed")
    rate = _retrying(lambda: _ask(settings, hour), settings)
    _check_time(rate, hour, settings)
    _check_move(rate, previous, settings)
    return rate


def set_rate(
    hour: datetime, value: str, reason: str, start: Callable[[], None] | None = None
) -> None:
    """A person's rate for a closed hour that has none; `start` has the hour go on with it.

    Where `start` fails, nothing was set. Raises Refused('rate_exists'), Refused('hour_not_closed')
    and Refused('invalid_rate').
    """
    if not reason.strip():
        raise Refused("invalid_rate", "a rate set by hand needs a reason", param="reason")
    rate = Rate(said(value), "manual", reason=reason)
    with runtime().engine.begin() as connection:
        last = ledger.last_closed_hour(connection)
        if last is None or hour > last:
            raise Refused("hour_not_closed", f"{hour.isoformat()} is not a closed hour")
        if not ledger.store_rate(connection, hour, rate):
            raise Refused("rate_exists", f"{hour.isoformat()} has its rate, which never changes")
        audit.record(
            connection, "rate.set", "hour", hour, after={"rate": rate.value, "reason": reason}
        )
        if start:
            start()
    if start:
        start()  # once more: a worker that was quicker than the commit found no rate


def said(value: str) -> Decimal:
    """What a person says that a rate is. Raises Refused('invalid_rate')."""
    try:
        return _positive(value)
    except RateUnavailable as problem:
        raise Refused("invalid_rate", str(problem), param="rate") from problem


def move(previous: Rate, value: Decimal) -> Decimal:
    """How far a rate moves from the one before, in percent."""
    return (value - previous.value) * 100 / previous.value


def is_far(previous: Rate, value: Decimal) -> bool:
    """Whether a rate moves so far from the one before that a person must stand for it."""
    limit = previous.value * runtime().settings.rate_max_move_percent / 100
    return abs(value - previous.value) > limit


def last_rate(hour: datetime) -> Rate | None:
    """The rate of the hour before, or of the last one that has one."""
    with runtime().engine.connect() as connection:
        return latest_rate(connection, hour)


def _retrying(ask: Callable[[], Rate], settings: Settings) -> Rate:
    for attempt in range(1, settings.rate_attempts + 1):
        try:
            return ask()
        except requests.RequestException as error:
            if attempt == settings.rate_attempts:
                raise RateUnavailable(
                    f"the rate API did not answer {attempt} times: {type(error).__name__}"
                ) from error
            time.sleep(settings.rate_backoff_s * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _ask(settings: Settings, hour: datetime) -> Rate:
    """One call. Raises requests.RequestException (worth a retry) and RateUnavailable (not)."""
    at = (hour + ledger.HOUR).isoformat()
    with requests.get(
        settings.rate_url, params={"at": at}, timeout=settings.rate_timeout_s, stream=True
    ) as answer:
        answer.raise_for_status()
        payload = _read(answer, time.monotonic() + settings.rate_timeout_s)
    return _parse(payload, _shown(settings.rate_url))


def _shown(url: str) -> str:
    """An address as it is kept for ever and told to all: without what may be a secret in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _read(answer: requests.Response, deadline: float) -> bytes:
    """The body, within the time limit as a whole: a source that drips would pass any single read.

    As it comes in: `iter_content` would itself wait until so much has dripped together.
    """
    payload = b""
    try:
        while piece := answer.raw.read1(8192, decode_content=True):
            payload += piece
            if len(payload) > MAX_PAYLOAD:
                raise RateUnavailable("the rate API's answer is longer than 64 KiB")
            if time.monotonic() > deadline:
                raise requests.Timeout("the rate API is too slow")
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error
    return payload


def _parse(payload: bytes, source: str) -> Rate:
    try:
        answer: Any = json.loads(payload, parse_float=str, parse_int=str)
        value, at = answer["rate"], datetime.fromisoformat(answer["at"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RateUnavailable('the rate API did not answer {"rate": …, "at": …}') from error
    if at.tzinfo is None:
        raise RateUnavailable("the rate API's time has no offset")
    return Rate(_positive(value), source, at, sha256(payload).digest())


def _positive(value: object) -> Decimal:
    """A positive decimal of at most 18 decimals. Raises RateUnavailable."""
    is_number = isinstance(value, str) and len(value) <= 64 and NUMBER.fullmatch(value)
    rate = Decimal(str(value)) if is_number else Decimal("NaN")
    if not rate.is_finite() or not 0 < rate < config.MAX_RATE:
        raise RateUnavailable(f"a rate must be a positive decimal, not {str(value)[:64]!r}")
    exponent = rate.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > config.MAX_RATE_DECIMALS:
        raise RateUnavailable(
            f"a rate has at most {config.MAX_RATE_DECIMALS} decimals, not {str(value)[:64]!r}"
        )
    return rate


def _plain(value: Decimal) -> str:
    """Without the zeros at its end."""
    return f"{value.normalize():f}"


def _check_time(rate: Rate, hour: datetime, settings: Settings) -> None:
    assert rate.source_time is not None
    if rate.source_time < hour:
        raise RateUnavailable(f"the rate is of {rate.source_time.isoformat()}: older than the hour")
    if rate.source_time >= hour + ledger.HOUR + settings.rate_grace:
        raise RateUnavailable(
            f"the rate is of {rate.source_time.isoformat()}: the API can't tell this hour's;"
            " set it by hand with bin/flask set-rate"
        )


def _check_move(rate: Rate, previous: Rate | None, settings: Settings) -> None:
    if previous is not None and is_far(previous, rate.value):
        raise RateUnavailable(
            f"the rate moved from {_plain(previous.value)} to {_plain(rate.value)}, more than"
            f" {settings.rate_max_move_percent:f} %; set it by hand if it is right"
        )
