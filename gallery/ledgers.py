"""What the pictures of the books show: an hour of an account, and where its figures lead."""

from bench.stage import Books

LAST = """
SELECT to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00"Z"')
FROM ledger.entries WHERE kind_id = 2 AND owner_id = %s ORDER BY seq DESC LIMIT 1
"""


def facts(books: Books, ida: int) -> dict[str, str]:
    """The UTC day and hour in which Ida's last conversion was booked."""
    with books.owner() as cursor:
        cursor.execute(LAST, (ida,))
        day, hour = cursor.fetchone()
    return {"booked_day": day, "booked_hour": hour, "ida": str(ida)}
