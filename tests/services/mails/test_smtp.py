"""Mails to a real SMTP server: over TLS, with a password, and what becomes of those that it does not take."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server

import pytest
from sqlalchemy import Engine, text

from config import Settings
from portal.runtime import runtime
from portal.services import mails
from portal.services.mails import outbox, transports
from tests.factories import Books
from tests.mailbox import said
from tests.services.mails.conftest import CREDENTIALS, sending_to
from tests.smtp_server import PASSWORD, TAKEN, SmtpServer

pytestmark = pytest.mark.usefixtures("context")
IDA = "ida@example.com"


def queue(*emails: str, kind: str = "password_changed") -> None:
    with runtime().engine.begin() as connection:
        for email in emails:
            mails.queue(connection, kind, email)


def problems(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT problem FROM mails ORDER BY id")))


def attempts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT attempts FROM mails ORDER BY id")))


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # aiosmtpd, of TLS from the start
@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "smtps")])
def test_mails_arrive_over_tls_with_a_password(
    post: SmtpServer, settings: Settings, engine: Engine, scheme: str, tls: str
) -> None:
    post.up(tls=tls, needs_password=True)
    queue(IDA, "eva@example.com")
    with sending_to(f"{scheme}://{CREDENTIALS}localhost:{post.port}", settings):
        assert mails.send_due() == 2
    assert post.handler.recipients == [IDA, "eva@example.com"]
    first = post.handler.received[0]
    assert (first["From"], first["To"]) == (settings.mail_from, IDA)
    assert "was changed just now" in said(first)
    assert post.handler.was_secure == [True, True]
    assert problems(engine) == [None, None]


def test_a_name_in_any_script_arrives_as_it_is(post: SmtpServer, settings: Settings) -> None:
    post.up()
    with runtime().engine.begin() as connection:
        mails.queue(connection, "email_changed", IDA, new="ü…@例え.example")
    with sending_to(f"smtp://localhost:{post.port}", settings):
        assert mails.send_due() == 1
    assert "with ü…@例え.example instead" in said(post.handler.received[0])


def test_a_server_on_this_machine_may_do_without_tls(post: SmtpServer, settings: Settings) -> None:
    post.up(tls="none")
    queue(IDA)
    with sending_to(f"smtp://127.0.0.1:{post.port}", settings):
        assert mails.send_due() == 1
    assert post.handler.was_secure == [False]


def test_no_other_server_is_told_anything_without_tls(
    post: SmtpServer, settings: Settings, engine: Engine
) -> None:
    """0.0.0.0 leads here, and is no address of this machine's own."""
    post.up(tls="none")
    queue(IDA)
    with sending_to(f"smtp://0.0.0.0:{post.port}", settings):
        assert mails.send_due() == 0
    assert post.handler.received == []
    assert "STARTTLS" in problems(engine)[0]


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "smtps")])
def test_a_server_whose_name_nobody_vouches_for_is_told_nothing(
    post: SmtpServer, settings: Settings, engine: Engine, scheme: str, tls: str
) -> None:
    post.up(tls=tls)
    queue(IDA)
    with sending_to(f"{scheme}://127.0.0.1:{post.port}", settings):
        assert mails.send_due() == 0
    assert post.handler.received == []
    assert "certificate verify failed" in problems(engine)[0]


def test_a_wrong_password_is_named_and_not_told(
    post: SmtpServer, settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    post.up(needs_password=True)
    queue(IDA)
    wrong = CREDENTIALS.replace("s3cret", "wr0ng")
    with sending_to(f"smtp://{wrong}localhost:{post.port}", settings):
        assert mails.send_due() == 0
    assert problems(engine)[0].startswith("535 ")
    told = problems(engine)[0] + capsys.readouterr().err
    assert "wr0ng" not in told
    assert PASSWORD not in told


def test_a_server_that_is_down_is_asked_once_a_turn_and_gets_all_when_it_is_back(
    post: SmtpServer, settings: Settings, engine: Engine, books: Books
) -> None:
    queue(IDA, "eva@example.com", "sam@example.com")
    with sending_to(f"smtp://localhost:{post.port}", settings):
        assert mails.send_due() == 0
        assert attempts(engine) == [1, 0, 0]
        assert problems(engine)[0].startswith("no connection: ")
        post.up()
        assert mails.send_due() == 2
        books.set_clock(books.now() + outbox.STEPS[0])
        assert mails.send_due() == 1
        assert mails.send_due() == 0
    assert sorted(post.handler.recipients) == ["eva@example.com", IDA, "sam@example.com"]
    assert problems(engine) == [None, None, None]


def test_an_address_that_is_refused_for_good_is_given_up_and_the_others_go_out(
    post: SmtpServer, settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    post.up()
    post.handler.rcpt = lambda email: TAKEN if email == IDA else "550 5.1.1 nobody has this name"
    queue("gone@example.com", IDA)
    with sending_to(f"smtp://localhost:{post.port}", settings):
        assert mails.send_due() == 1
    assert post.handler.recipients == [IDA]
    assert attempts(engine) == [outbox.MOST, 1]
    assert problems(engine)[0] == "550 5.1.1 nobody has this name"
    logged = capsys.readouterr().err
    assert "mail 1 (password_changed) is given up after 1 attempts" in logged
    assert "gone@example.com" not in logged


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_mail_that_is_put_off_is_sent_later(
    post: SmtpServer, settings: Settings, engine: Engine, books: Books, step: str
) -> None:
    post.up()
    setattr(post.handler, step, lambda _: "451 4.7.1 come back in a minute")
    queue(IDA)
    with sending_to(f"smtp://localhost:{post.port}", settings):
        for n in range(1, 4):
            assert mails.send_due() == 0
            assert attempts(engine) == [n]
            books.set_clock(books.now() + outbox.STEPS[n - 1])
        setattr(post.handler, step, lambda _: TAKEN)
        assert mails.send_due() == 1
    assert len({mail["Message-ID"] for mail in post.handler.received}) == 1


def test_after_a_day_and_a_half_a_mail_is_given_up(
    post: SmtpServer,
    settings: Settings,
    engine: Engine,
    books: Books,
    capsys: pytest.CaptureFixture[str],
) -> None:
    queue(IDA)
    began = books.now()
    with sending_to(f"smtp://localhost:{post.port}", settings):
        for step in outbox.STEPS:
            assert mails.send_due() == 0
            assert "given up" not in capsys.readouterr().err
            books.set_clock(books.now() + step)
        assert mails.send_due() == 0
        assert "is given up after 11 attempts" in capsys.readouterr().err
        assert 24 < (books.now() - began).total_seconds() / 3600 < 40
        post.up()
        books.set_clock(books.now() + outbox.STEPS[-1] * 2)
        assert mails.send_due() == 0
    assert attempts(engine) == [outbox.MOST]


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with create_server(("127.0.0.1", 0)) as listening:
        kept = []
        thread = threading.Thread(target=lambda: kept.append(listening.accept()))
        thread.start()
        yield listening.getsockname()[1]
        thread.join()
        kept[0][0].close()


def test_a_server_that_hangs_is_not_waited_for_long(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "TIMEOUT_S", 0.3)
    queue(IDA)
    began = time.monotonic()
    with silent() as port, sending_to(f"smtp://127.0.0.1:{port}", settings):
        assert mails.send_due() == 0
        assert time.monotonic() - began < 10
    assert "timed out" in problems(engine)[0]
