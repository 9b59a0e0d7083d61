"""Mails that wait: written with what they tell of, sent at least once, kept a while, then gone."""

import logging
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from sqlalchemy import Connection, Engine, text

from config import Settings
from jobs.queue import queue as queue_of
from portal.runtime import runtime
from portal.services import mails
from portal.services.accounts import links
from portal.services.mails import outbox
from tests.factories import Books
from tests.mailbox import Mailbox, said
from tests.services.mails.conftest import sending_to

pytestmark = pytest.mark.usefixtures("context")

IDA = "ida@example.com"


@pytest.fixture
def mailbox(settings: Settings) -> Mailbox:
    return Mailbox(settings)


def queue(*kinds: str, email: str = IDA) -> None:
    with runtime().engine.begin() as connection:
        for kind in kinds:
            mails.queue(connection, kind, email)


def queue_link(connection: Connection, kind: str = "reset") -> links.Link:
    link = links.make(connection, "reset", IDA)
    mails.queue(connection, kind, IDA, link.id)
    return link


def held(
    engine: Engine, columns: str = "kind, attempts, sent_at IS NOT NULL, problem"
) -> list[Any]:
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT {columns} FROM mails ORDER BY id"))
        return [tuple(row) for row in found]


def test_a_mail_goes_out_once_with_all_that_mail_programs_read(
    mailbox: Mailbox, settings: Settings, engine: Engine
) -> None:
    with engine.begin() as connection:
        link = queue_link(connection)
    [mail] = mailbox.all()
    assert mailbox.all()[0].as_bytes() == mail.as_bytes()
    assert held(engine) == [("reset", 1, True, None)]
    assert mail["From"] == settings.mail_from
    assert (mail["To"], mail["Subject"]) == (IDA, "A new password for Dreamland")
    assert mail["Date"].datetime == link.created_at.replace(microsecond=0)
    assert mail["Message-ID"].endswith("@127.0.0.1>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert links.address(link) in said(mail)


def test_a_file_is_for_its_owner_alone_and_has_links_in_one_piece(
    mailbox: Mailbox, engine: Engine
) -> None:
    with engine.begin() as connection:
        link = queue_link(connection)
    mailbox.all()
    [file] = mailbox.files()
    assert file.suffix == ".eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert links.address(link).encode() in file.read_bytes()


def test_what_rolls_back_is_no_mail(mailbox: Mailbox, engine: Engine) -> None:
    with engine.connect() as connection:
        mails.queue(connection, "password_changed", IDA)
        connection.rollback()
    assert mailbox.all() == []


def test_a_kind_without_a_text_is_a_mistake_that_is_found_at_once(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(ValueError, match="no text"):
        mails.queue(connection, "no_such_kind", IDA)


def test_a_worker_is_told_after_the_commit_and_once(
    redis: "Redis[Any]", settings: Settings
) -> None:
    jobs: Queue = queue_of(settings.redis_url)
    assert redis.dbsize() == 0
    with mails.sending() as connection:
        mails.queue(connection, "password_changed", IDA)
        assert jobs.count == 0
    assert jobs.count == 1
    with mails.sending() as connection:
        mails.queue(connection, "password_changed", IDA)
    assert jobs.count == 1


def test_without_redis_a_mail_waits(
    mailbox: Mailbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    away = replace(settings, redis_url="redis://127.0.0.1:1/0")
    with sending_to("file:", away), mails.sending() as connection:
        mails.queue(connection, "password_changed", IDA)
    assert "mails are sent later" in capsys.readouterr().err
    assert len(mailbox.all()) == 1


def test_the_longest_waiting_goes_first(mailbox: Mailbox, engine: Engine) -> None:
    queue("password_changed", "email_taken", "switched_off")
    mailbox.all()
    with engine.connect() as connection:
        order = connection.scalars(text("SELECT kind FROM mails ORDER BY sent_at"))
        assert list(order) == ["password_changed", "email_taken", "switched_off"]


def test_several_workers_send_each_mail_once(app: Flask, mailbox: Mailbox, engine: Engine) -> None:
    queue(*["password_changed"] * 40)
    barrier = threading.Barrier(4)

    def work(_: int) -> int:
        with app.app_context():
            barrier.wait()
            return mails.send_due()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(work, range(4)))
    assert sum(sent) == len(mailbox.files()) == 40
    assert {row[1:] for row in held(engine)} == {(1, True, None)}


def test_a_mail_whose_worker_died_is_sent_by_the_next_after_a_while(
    mailbox: Mailbox, books: Books
) -> None:
    queue("password_changed")
    assert outbox._take() is not None
    assert mailbox.all() == []
    books.set_clock(books.now() + outbox.LEASE)
    assert len(mailbox.all()) == 1


def test_a_mail_about_a_link_that_has_ended_is_not_sent(
    mailbox: Mailbox, engine: Engine, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        link = queue_link(connection)
        mails.queue(connection, "password_changed", IDA)
    books.set_clock(link.expires_at)
    with caplog.at_level(logging.ERROR):
        assert [mail["Subject"] for mail in mailbox.all()] == [
            "Your password for Dreamland was changed"
        ]
    assert not caplog.records
    assert held(engine)[0] == ("reset", outbox.MOST, False, outbox.ENDED)
    books.set_clock(books.now() + timedelta(days=2))
    assert len(mailbox.all()) == 1


def test_a_directory_that_cannot_be_written_is_tried_again(
    mailbox: Mailbox, settings: Settings, engine: Engine, books: Books
) -> None:
    queue("password_changed")
    mailbox.directory.parent.mkdir(exist_ok=True, parents=True)
    mailbox.directory.write_text("in the way")
    assert mails.send_due() == 0
    [(_, attempts, is_sent, problem)] = held(engine)
    assert (attempts, is_sent) == (1, False)
    assert problem.startswith("no connection: ") or "exists" in problem
    mailbox.directory.unlink()
    books.set_clock(books.now() + outbox.STEPS[0])
    assert len(mailbox.all()) == 1
    assert settings.mail_url == "file:"


def test_mails_are_forgotten_after_a_month_sent_or_not(
    mailbox: Mailbox, engine: Engine, books: Books
) -> None:
    with engine.begin() as connection:
        queue_link(connection)
    mailbox.all()
    queue("password_changed")
    assert mails.forget_due() == 0
    books.set_clock(books.now() + outbox.KEEP + timedelta(hours=2))
    queue("email_taken")
    assert mails.forget_due() == 3  # two mails and the link
    assert held(engine, "kind") == [("email_taken",)]


def test_the_log_tells_all_of_a_mail_in_development(
    settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.begin() as connection:
        link = queue_link(connection)
    with sending_to("log:", settings):
        assert mails.send_due() == 1
        logged = capsys.readouterr().err
        assert f"mail to {IDA}: A new password" in logged
        assert links.address(link) in logged
