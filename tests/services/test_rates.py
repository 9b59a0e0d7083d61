"""Rates from a real HTTP server that is right, slow, broken or talks nonsense: none is ever guessed.

Whatever is wrong, the hour waits with a line that says why, tokens stay tokens, and the next good
answer, or a person, lets it go on.
"""

import gzip
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

import pytest
from click.testing import Result
from flask import Flask

from config import Settings
from portal.ledger.clock import HOUR
from portal.services import conversions
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.jobs.hours import Hours
from tests.jobs.rate_server import Answer, Exchange, RateServer, fixed

TIMEOUT_S = 0.15
ATTEMPTS = 3
GRACE = timedelta(minutes=30)


@pytest.fixture
def settings(settings: Settings, rates: RateServer) -> Settings:
    return replace(
        settings,
        rate_source="http",
        rate_url=rates.url.replace("//", "//me:s3cret@") + "?key=s3cret",
        rate_timeout_s=TIMEOUT_S,
        rate_attempts=ATTEMPTS,
        rate_backoff_s=0.01,
        rate_grace=GRACE,
        rate_max_move_percent=Decimal(25),
    )


@pytest.fixture
def hours(app: Flask, books: Books, watch: Watch) -> Hours:
    made = Hours(app, books, watch)
    made.open_users(2)
    return made


def convert_due(app: Flask) -> list[datetime]:
    """What a worker does, here and now."""

    def at_once(hour: datetime, number: int) -> None:
        conversions.convert_chunk(hour, number)

    with app.app_context():
        return conversions.convert_due(at_once)


def asked(rates: RateServer, hour: datetime) -> int:
    return rates.asked[(hour + HOUR).isoformat()]


def assert_waits(app: Flask, hours: Hours, hour: datetime, why: str) -> None:
    """The hour waits, says why in one line, and nothing was written to the books."""
    before = hours.everything()[0][:2]
    assert convert_due(app) == []
    run = hours.run(hour)
    assert (run.state, run.users, run.finished_at) == ("waiting_for_rate", 0, None)
    assert why in run.problem
    assert "\n" not in run.problem
    assert len(run.problem) < 250
    assert hours.rate(hour) is None
    assert hours.chunks(hour) == []
    assert hours.everything()[0][:2] == before


def assert_goes_on(app: Flask, hours: Hours, hour: datetime) -> None:
    assert convert_due(app) == [hour]
    hours.assert_exact(hour)
    assert hours.run(hour).problem is None


def flask(app: Flask, *arguments: str) -> Result:
    """What `bin/flask …` does."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=list(arguments))


def body(payload: bytes) -> Answer:
    return lambda exchange: exchange.send(payload)


def said(value: object, **more: object) -> Answer:
    """A rate, and what else is to be said, of the time asked for."""
    return lambda exchange: exchange.send(
        json.dumps({"rate": value, "at": exchange.at} | more).encode()
    )


def told_of(moved: timedelta) -> Answer:
    """A rate of a time that lies so far from the one asked for, which is the hour's end."""
    return lambda exchange: exchange.rate(
        "0.15", (datetime.fromisoformat(exchange.at) + moved).isoformat()
    )


def test_the_rate_is_stored_with_its_source_its_time_and_the_hash_of_what_was_said(
    app: Flask, hours: Hours, rates: RateServer, watch: Watch
) -> None:
    hour = hours.play()
    at = hour + HOUR - timedelta(seconds=3)
    answer = f'{{"rate": 0.151515151515151519, "at": "{at.isoformat()}"}}'.encode()
    rates.answer = body(answer)
    assert_goes_on(app, hours, hour)
    [stored] = watch.rows("SELECT * FROM ledger.hour_rates")
    assert stored.rate == Decimal("0.151515151515151519"), "to the last digit, never as a float"
    assert (stored.source, stored.source_time, stored.reason) == (rates.url, at, None), (
        "all of staff see it, and clients that may read: no secret of the address is in it"
    )
    assert bytes(stored.payload_hash) == sha256(answer).digest()
    assert asked(rates, hour) == 1


def test_the_api_is_asked_for_the_rate_at_the_hour_s_end(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    hour = hours.play()
    convert_due(app)
    assert dict(rates.asked) == {(hour + HOUR).isoformat(): 1}


@pytest.mark.parametrize("value", ["0.15", 0.15, "1", 1, "0.000000000000000001", 2.5e-1, "999999"])
def test_a_positive_decimal_is_a_rate_as_text_or_as_a_number(
    app: Flask, hours: Hours, rates: RateServer, value: object
) -> None:
    hour = hours.play()
    rates.answer = said(value)
    convert_due(app)
    assert hours.rate(hour) == Fraction(str(value))


def packed(exchange: Exchange) -> None:
    whole = json.dumps({"rate": "0.15", "at": exchange.at, "more": "x" * 20_000}).encode()
    exchange.send(gzip.compress(whole), **{"Content-Encoding": "gzip"})


def in_chunks(exchange: Exchange) -> None:
    whole = json.dumps({"rate": "0.15", "at": exchange.at, "more": "x" * 20_000}).encode()
    exchange.send_chunked(whole[:10], whole[10:])


@pytest.mark.parametrize("answer", [packed, in_chunks])
def test_an_answer_may_come_as_http_has_it(
    app: Flask, hours: Hours, rates: RateServer, answer: Answer
) -> None:
    hour = hours.play()
    rates.answer = answer
    assert_goes_on(app, hours, hour)


def test_what_else_the_api_says_is_no_matter(app: Flask, hours: Hours, rates: RateServer) -> None:
    hour = hours.play()
    rates.answer = said("0.15", currency="USD", note="☃")
    assert_goes_on(app, hours, hour)


def status(code: int) -> Answer:
    return lambda exchange: exchange.send(b"no", code)


def to_itself(exchange: Exchange) -> None:
    exchange.send(b"", 302, Location=f"http://{exchange.host}/rate?at={exchange.number}")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(500), "did not answer 3 times: HTTPError"),
        (status(503), "did not answer 3 times: HTTPError"),
        (status(404), "did not answer 3 times: HTTPError"),
        (to_itself, "did not answer 3 times: TooManyRedirects"),
        (lambda exchange: exchange.send(b"", 302, Location="file:///etc/passwd"), "InvalidSchema"),
        (lambda exchange: exchange.begin(200, 100), "did not answer 3 times"),  # and hangs up
    ],
    ids=["500", "503", "404", "redirects", "redirect_to_a_file", "hangs_up"],
)
def test_an_api_that_fails_is_asked_again_and_then_the_hour_waits(
    app: Flask, hours: Hours, rates: RateServer, answer: Answer, why: str
) -> None:
    hour = hours.play()
    rates.answer = answer
    assert_waits(app, hours, hour, why)
    assert asked(rates, hour) == ATTEMPTS
    rates.answer = fixed("0.15")
    assert_goes_on(app, hours, hour)


def test_an_api_that_does_not_answer_is_asked_again_and_then_the_hour_waits(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    hour = hours.play()
    rates.hold()
    began = time.monotonic()
    assert_waits(app, hours, hour, "did not answer 3 times: ReadTimeout")
    assert time.monotonic() - began >= ATTEMPTS * TIMEOUT_S
    assert asked(rates, hour) == ATTEMPTS
    rates.release()
    assert_goes_on(app, hours, hour)


def test_an_api_that_drips_its_answer_takes_no_longer_than_one_that_is_silent(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    hour = hours.play()

    def drip(exchange: Exchange) -> None:
        whole = json.dumps({"rate": "0.15", "at": exchange.at}).encode()
        exchange.drip(whole, pause_s=TIMEOUT_S / 2)

    rates.answer = drip
    began = time.monotonic()
    assert_waits(app, hours, hour, "did not answer 3 times: Timeout")
    assert time.monotonic() - began < ATTEMPTS * TIMEOUT_S * 3, (
        "the whole would take 10 times as long"
    )
    assert asked(rates, hour) == ATTEMPTS
    rates.answer = fixed("0.15")
    assert_goes_on(app, hours, hour)


def test_an_api_that_is_gone_is_waited_for(app: Flask, hours: Hours, rates: RateServer) -> None:
    hour = hours.play()
    rates.close()
    assert_waits(app, hours, hour, "did not answer 3 times: ConnectionError")


def test_an_api_that_fails_twice_and_then_answers_is_believed(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    hour = hours.play()

    def third_time(exchange: Exchange) -> None:
        if exchange.number < ATTEMPTS:
            exchange.send(b"busy", 503)
        else:
            exchange.rate("0.15")

    rates.answer = third_time
    assert_goes_on(app, hours, hour)
    assert asked(rates, hour) == ATTEMPTS


NO_JSON = 'did not answer {"rate": …, "at": …}'
NO_RATE = "a rate must be a positive decimal"
NONSENSE = {
    "longer_than_64_kib": (
        body(b'{"rate": "0.15", "more": "' + b"x" * 70_000 + b'"}'),
        "longer than 64 KiB",
    ),
    "longer_than_64_kib_when_unpacked": (
        lambda exchange: exchange.send(
            gzip.compress(b" " * 10_000_000), **{"Content-Encoding": "gzip"}
        ),
        "longer than 64 KiB",
    ),
    "html": (body(b"<html>Welcome</html>"), NO_JSON),
    "empty": (body(b""), NO_JSON),
    "not_utf_8": (body(b'{"rate": "\xff"}'), NO_JSON),
    "half_of_it": (body(b'{"rate": "0.15", "at": "2026-'), NO_JSON),
    "deep": (body(b"[" * 20_000), NO_JSON),
    "list": (body(b"[0.15]"), NO_JSON),
    "text": (body(b'"0.15"'), NO_JSON),
    "no_rate": (lambda exchange: exchange.send(b'{"at": "2026-03-02T11:00:00Z"}'), NO_JSON),
    "no_time": (body(b'{"rate": "0.15"}'), NO_JSON),
    "time_is_a_number": (said("0.15", at=1_772_445_600), NO_JSON),
    "time_is_no_time": (said("0.15", at="noon"), NO_JSON),
    "time_without_offset": (said("0.15", at="2026-03-02T11:00:00"), "time has no offset"),
    "null": (said(None), NO_RATE),
    "true": (body(b'{"rate": true, "at": "2026-03-02T11:00:00Z"}'), NO_RATE),
    "object": (said({"USD": "0.15"}), NO_RATE),
    "no_number": (said("cheap"), NO_RATE),
    "nothing": (said(""), NO_RATE),
    "nan": (said("NaN"), NO_RATE),
    "nan_as_json": (said(float("nan")), NO_RATE),
    "infinity": (said("Infinity"), NO_RATE),
    "infinity_as_json": (said(float("inf")), NO_RATE),
    "negative": (said("-0.15"), NO_RATE),
    "negative_number": (said(-0.15), NO_RATE),
    "zero": (said("0"), NO_RATE),
    "zero_number": (said(0), NO_RATE),
    "too_large": (said("1000000000000"), NO_RATE),
    "ridiculously_long": (said("0." + "1" * 5000), NO_RATE),
    "thousands": (said("1,000"), NO_RATE),
    "underscore": (said("0_0.15"), NO_RATE),
    "space": (said(" 0.15"), NO_RATE),
    "other_digits": (said("٠.١٥"), NO_RATE),
    "nineteen_decimals": (said("0.1500000000000000001"), "at most 18 decimals"),
    "nineteen_decimals_otherwise_written": (said("15e-20"), "at most 18 decimals"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_no_rate_and_the_hour_waits(
    app: Flask, hours: Hours, rates: RateServer, name: str
) -> None:
    hour = hours.play()
    rates.answer, why = NONSENSE[name]
    assert_waits(app, hours, hour, why)
    assert asked(rates, hour) == 1, "the same nonsense need not be asked for again at once"
    rates.answer = fixed("0.15")
    assert_goes_on(app, hours, hour)


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        (-HOUR - timedelta(microseconds=1), "older than the hour"),
        (-timedelta(days=365), "older than the hour"),
        (GRACE, "the API can't tell this hour's"),
        (timedelta(days=365), "the API can't tell this hour's"),
    ],
)
def test_the_rate_of_another_time_is_not_this_hour_s(
    app: Flask, hours: Hours, rates: RateServer, moved: timedelta, why: str
) -> None:
    hour = hours.play()
    rates.answer = told_of(moved)
    assert_waits(app, hours, hour, why)
    rates.answer = told_of(timedelta(0))
    assert_goes_on(app, hours, hour)


@pytest.mark.parametrize("moved", [-HOUR, timedelta(0), GRACE - timedelta(microseconds=1)])
def test_a_rate_of_the_hour_or_soon_after_it_is_this_hour_s(
    app: Flask, hours: Hours, rates: RateServer, moved: timedelta
) -> None:
    hour = hours.play()
    rates.answer = told_of(moved)
    assert_goes_on(app, hours, hour)


@pytest.mark.parametrize("jump", ["0.1875000001", "0.1124999999", "1e3", "0.000001"])
def test_a_rate_that_jumped_waits_for_a_person(
    app: Flask, hours: Hours, rates: RateServer, jump: str
) -> None:
    first = hours.play()
    assert_goes_on(app, hours, first)
    hour = hours.play()
    rates.answer = fixed(jump)
    assert_waits(app, hours, hour, "the rate moved from 0.15")
    assert "more than 25 %" in hours.run(hour).problem
    done = flask(app, "set-rate", f"--hour={hour.isoformat()}", f"--rate={jump}", "--reason=it is")
    assert done.exit_code == 0
    assert_goes_on(app, hours, hour)
    assert hours.rate(hour) == Fraction(jump)


@pytest.mark.parametrize("step", ["0.1875", "0.1125"])
def test_a_rate_that_moved_by_just_the_limit_is_a_rate(
    app: Flask, hours: Hours, rates: RateServer, step: str
) -> None:
    assert_goes_on(app, hours, hours.play())
    rates.answer = fixed(step)
    assert_goes_on(app, hours, hours.play())


def test_later_hours_wait_for_the_one_without_a_rate(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    first, second = hours.play(), hours.play()
    rates.answer = status(500)
    assert_waits(app, hours, first, "did not answer")
    assert hours.run(second) is None
    rates.answer = fixed("0.15")
    assert convert_due(app) == [first, second]
    hours.assert_exact(first)
    hours.assert_exact(second)


def test_a_stored_rate_is_never_asked_for_again(
    app: Flask, hours: Hours, rates: RateServer
) -> None:
    hour = hours.play()
    with app.app_context():
        assert not conversions.advance(hour, lambda *_: None), "the rate is stored, nothing done"
    rates.answer = fixed("0.16")
    assert_goes_on(app, hours, hour)
    assert hours.rate(hour) == Fraction("0.15")
    assert asked(rates, hour) == 1


def test_a_person_sets_the_rate_of_an_hour_that_waits(
    app: Flask, hours: Hours, rates: RateServer, watch: Watch
) -> None:
    hour = hours.play()
    rates.answer = status(500)
    assert_waits(app, hours, hour, "did not answer")
    command = ("set-rate", "--hour", hour.isoformat(), "--rate", "0.149", "--reason", "told so")
    done = flask(app, *command)
    assert (done.exit_code, "has the rate 0.149" in done.output) == (0, True)
    assert_goes_on(app, hours, hour)
    [stored] = watch.rows("SELECT * FROM ledger.hour_rates")
    assert (stored.rate, stored.source, stored.reason) == (Decimal("0.149"), "manual", "told so")
    assert asked(rates, hour) == ATTEMPTS, "and nobody asked the API again"

    again = flask(app, *command)
    assert again.exit_code == 1
    assert "has its rate, which never changes" in again.output
    assert hours.rate(hour) == Fraction("0.149")


@pytest.mark.parametrize(
    ("rate", "reason", "why"),
    [
        ("0", "r", NO_RATE),
        ("-1", "r", NO_RATE),
        ("NaN", "r", NO_RATE),
        ("much", "r", NO_RATE),
        ("0.1500000000000000001", "r", "at most 18 decimals"),
        ("0.15", " ", "needs a reason"),
    ],
)
def test_a_person_can_not_set_nonsense(
    app: Flask, hours: Hours, rates: RateServer, rate: str, reason: str, why: str
) -> None:
    hour = hours.play()
    rates.answer = status(500)
    assert_waits(app, hours, hour, "did not answer")
    refused = flask(
        app, "set-rate", "--hour", hour.isoformat(), f"--rate={rate}", "--reason", reason
    )
    assert refused.exit_code == 1
    assert why in refused.output
    assert hours.rate(hour) is None


def test_a_person_can_not_set_the_rate_of_an_hour_that_is_not_closed(
    app: Flask, hours: Hours
) -> None:
    hour = hours.play()
    for not_closed in (hour, hour + HOUR, hour + timedelta(minutes=1), hour - HOUR):
        refused = flask(
            app, "set-rate", "--hour", not_closed.isoformat(), "--rate=1", "--reason=told so"
        )
        assert refused.exit_code == 1
        assert refused.output.count("\n") == 1
        assert hours.rate(not_closed) is None
