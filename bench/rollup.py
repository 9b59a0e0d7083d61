"""rollup: closing hours, each of which is added up by account, by accounting date and by fee.

The reference reads the same postings once and adds them up by account and hour.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import closed, stage
from bench.figures import Figure, failed
from bench.machine import watched

PLAIN = """
SELECT date_bin('1 hour', booked_at, 'epoch'), debit_account_id, credit_account_id, sum(amount)
FROM ledger.postings GROUP BY 1, 2, 3
"""
UNCLOSED = """
SELECT (SELECT sum(amount) FROM ledger.postings) * 2
       - (SELECT sum(t.debits + t.credits) FROM ledger.closed_totals t
          WHERE t.hour = (SELECT max(hour) FROM ledger.closed_totals x WHERE x.account_id = t.account_id))
"""
UNCLOSED_FEES = """
SELECT (SELECT sum(amount) FROM ledger.postings WHERE ledger_id = 3) - (SELECT sum(amount) FROM ledger.fee_totals)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Two postings a win."""

    users: int = 10_000
    postings: int = 2_000_000
    hours: int = 200


def run(size: Size) -> Iterator[Figure]:
    """Postings added up a second."""
    with stage.server() as server, stage.books(server) as books:
        with watched() as share:
            past = closed.write(books, size.users, size.postings, size.hours)
        with books.owner() as cursor:
            began = time.monotonic()
            cursor.execute(PLAIN)
            reference = past.postings / (time.monotonic() - began)
        checked = {
            "not_added_up": int(books.ask(UNCLOSED)),
            "fees_not_added_up": int(books.ask(UNCLOSED_FEES)),
        }
        hours = books.ask("SELECT count(*) FROM ledger.closed_hours")
        checked["hours_not_closed"] = size.hours - hours if hours < size.hours else 0
    rate = past.postings / past.seconds
    wrong = failed(checked)
    yield Figure("rollup-read", reference, "postings/s")
    yield Figure("rollup", rate, "postings/s", reference, checked, share.others, wrong)
