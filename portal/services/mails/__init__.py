"""Mails to people: written with what they tell of, in one transaction; sent by a worker soon after.

`queue` writes one in the caller's transaction. Who opens that by `sending` has a worker begin as soon as
it has committed; of any other a mail goes out within a minute.
"""

from portal.services.mails.outbox import forget_due, queue, send_due, sending

__all__ = ["forget_due", "queue", "send_due", "sending"]
