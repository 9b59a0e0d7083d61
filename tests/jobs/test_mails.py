"""Mails by real processes: a worker sends what is written, whoever is killed in between."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Worker

from config import Settings
from jobs import mails as jobs
from jobs.queue import queue as queue_of
from portal.runtime import runtime
from portal.services import mails
from portal.services.accounts import sign_up
from portal.services.mails import outbox
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.mailbox import Mailbox
from tests.smtp_server import TAKEN, smtp_server

IDA = "ida@example.com"
pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def mailbox(settings: Settings) -> Mailbox:
    return Mailbox(settings)


def worker(programs: Programs, redis: "Redis[Any]", **more: str) -> Program:
    known = Worker.count(connection=redis)
    started = programs.start("-m", "jobs.worker", **more)
    eventually("the worker waits for work", lambda: Worker.count(connection=redis) > known)
    return started


def test_a_worker_sends_a_mail_as_soon_as_it_is_written(
    programs: Programs, redis: "Redis[Any]", mailbox: Mailbox
) -> None:
    worker(programs, redis)
    sign_up.request(IDA)
    eventually("the mail is there", mailbox.files)
    assert mailbox.token(IDA)
    sign_up.request("eva@example.com")
    eventually("so is the next", lambda: len(mailbox.files()) == 2)


def test_a_worker_that_starts_sends_what_was_written_before(
    programs: Programs, redis: "Redis[Any]", mailbox: Mailbox
) -> None:
    with runtime().engine.begin() as connection:
        mails.queue(connection, "password_changed", IDA)
    assert queue_of(runtime().settings.redis_url).count == 0
    worker(programs, redis)
    eventually("the mail is there", mailbox.files)


def test_many_who_write_at_once_need_one_job(redis: "Redis[Any]") -> None:
    for n in range(5):
        sign_up.request(f"n{n}@example.com")
    [job] = queue_of(runtime().settings.redis_url).jobs
    assert job.func_name == "jobs.mails.send_due"
    assert redis.dbsize() > 0


def test_both_jobs_say_how_much_they_did(mailbox: Mailbox, books: Books) -> None:
    sign_up.request(IDA)
    assert jobs.send_due() == 1
    assert jobs.send_due() == 0
    books.set_clock(books.now() + timedelta(days=62))
    assert jobs.forget_due() == 2
    assert len(mailbox.files()) == 1


def test_a_mail_whose_worker_was_killed_while_it_sent_comes_again_as_the_same(
    programs: Programs, redis: "Redis[Any]", watch: Watch, books: Books, tmp_path: Path
) -> None:
    with smtp_server(tmp_path) as (post, _):
        post.up(tls="none")
        to_post = {"MAIL_URL": f"smtp://127.0.0.1:{post.port}"}
        first = worker(programs, redis, **to_post)
        killed = []

        def kill(message: EmailMessage) -> str:
            if not killed:
                killed.append(message["Message-ID"])
                first.kill()
            return TAKEN

        post.handler.data = kill
        with mails.sending() as connection:
            mails.queue(connection, "password_changed", IDA)
        eventually("it was killed", lambda: not first.is_alive())
        eventually("the server has it", lambda: post.handler.received)
        assert watch.value("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL") == 0
        books.set_clock(books.now() + outbox.LEASE)
        worker(programs, redis, **to_post)
        eventually("it came again", lambda: len(post.handler.received) == 2)
        assert [mail["Message-ID"] for mail in post.handler.received] == killed * 2
        sent = "SELECT count(*) FROM mails WHERE sent_at IS NOT NULL AND attempts = 2"
        eventually("it is sent", lambda: watch.value(sent) == 1)
