"""The mails that wait: written in the transaction of what they tell of, sent at least once, then kept a while.

Whoever sends takes a mail for LEASE and lets the database go meanwhile: killed in between, it is sent by
the next one afterwards. Its Message-ID stays the same, so that mail programs see that it is the same mail.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, Row, func, insert, text

from portal.runtime import runtime
from portal.services.accounts import links
from portal.services.mails import texts
from portal.services.mails.transports import Letter, NotSent, Transport
from portal.services.models import Mail

log = logging.getLogger(__name__)

KEEP = timedelta(days=30)
LEASE = timedelta(minutes=3)
"""Longer than a server may take for a mail."""
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480, 960))
"""After the first failure, the second, and so on; then it is given up: in a day and a half."""
MOST = len(STEPS) + 1
LONGEST_RUN = 500
"""Mails of one job; the rest is the next one's."""
ENDED = "its link can't be used any more"


@contextmanager
def sending() -> Iterator[Connection]:
    """A transaction whose mails a worker begins to send as soon as it has committed."""
    with runtime().engine.begin() as connection:
        yield connection
    runtime().start_mails()


def queue(
    connection: Connection, kind: str, email: str, link_id: int | None = None, **facts: str | int
) -> None:
    """Write a mail in the caller's transaction: a text of templates/mail/, to whom, with which link.

    `facts` are what the text names; they are kept for KEEP, so nothing secret is among them. Raises
    ValueError for a kind without a text.
    """
    if kind not in texts.kinds():
        raise ValueError(f"there is no text portal/templates/mail/{kind}.txt")
    now = func.ledger.clock()
    row = {"kind": kind, "email": email, "link_id": link_id, "facts": facts}
    connection.execute(insert(Mail).values(row | {"created_at": now, "next_at": now}))


def send_due() -> int:
    """Send the mails that are due, the longest waiting first, until one can't be; how many went out."""
    sent = 0
    with Transport() as transport:
        for _ in range(LONGEST_RUN):
            mail = _take()
            if mail is None:
                break
            try:
                sent += _send(transport, mail)
            except NotSent as problem:
                _put_back(mail, problem)
                if problem.is_everybodys:
                    break
    return sent


# A mail about a link is worth nothing once that can't be used; a notice always is.
TAKE = """
WITH due AS (
    SELECT id FROM mails
    WHERE sent_at IS NULL AND next_at <= ledger.clock() AND attempts < :most
    ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE mails m SET attempts = m.attempts + 1, next_at = now.at + :lease
FROM due, (SELECT ledger.clock() AS at OFFSET 0) now
WHERE m.id = due.id
RETURNING m.id, m.kind, m.email, m.link_id, m.facts, m.attempts, m.created_at
"""
SENT = "UPDATE mails SET sent_at = ledger.clock(), problem = NULL WHERE id = :id"
PUT_BACK = """
UPDATE mails SET problem = :problem, attempts = :attempts, next_at = ledger.clock() + :pause
WHERE id = :id AND sent_at IS NULL
"""


def _take() -> Row[tuple[object, ...]] | None:
    with runtime().engine.begin() as connection:
        return connection.execute(text(TAKE), {"most": MOST, "lease": LEASE}).one_or_none()


def _send(transport: Transport, mail: Row[tuple[object, ...]]) -> bool:
    """Send it, unless its link has ended meanwhile. Raises NotSent."""
    address = None
    if mail.link_id is not None:
        with runtime().engine.connect() as connection:
            link = links.usable(connection, mail.link_id)
        if link is None:
            raise NotSent(ENDED, is_final=True)
        address = links.address(link)
    said = texts.text_of(mail.kind, mail.email, address, mail.facts)
    transport.send(Letter(mail.id, mail.email, said, mail.created_at))
    with runtime().engine.begin() as connection:
        connection.execute(text(SENT), {"id": mail.id})
    return True


def _put_back(mail: Row[tuple[object, ...]], problem: NotSent) -> None:
    is_over = problem.is_final or mail.attempts >= MOST
    if str(problem) == ENDED:
        log.info("mail %d (%s) has nothing to tell any more", mail.id, mail.kind)
    elif is_over:
        log.error("mail %d (%s) is given up after %d attempts", mail.id, mail.kind, mail.attempts)
    else:
        log.warning("mail %d (%s) was not sent, attempt %d", mail.id, mail.kind, mail.attempts)
    pause = STEPS[min(mail.attempts, len(STEPS)) - 1]
    attempts = MOST if is_over else mail.attempts
    known = {"id": mail.id, "problem": str(problem), "attempts": attempts, "pause": pause}
    with runtime().engine.begin() as connection:
        connection.execute(text(PUT_BACK), known)


FORGET = """
WITH mails_gone AS (DELETE FROM mails WHERE created_at < ledger.clock() - :keep RETURNING id)
SELECT count(*) FROM mails_gone
"""


def forget_due() -> int:
    """Forget mails after KEEP, and links KEEP after they ended; how many of both."""
    with runtime().engine.begin() as connection:
        gone = connection.scalar(text(FORGET), {"keep": KEEP})
        return int(gone or 0) + links.forget(connection, KEEP)
