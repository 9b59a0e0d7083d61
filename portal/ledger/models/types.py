"""What the tables' declarations share: the schema and the types of columns.

Amounts are base units: `numeric(78,0)` for one amount, unbounded `numeric` for a total.
"""

from typing import Any

from sqlalchemy import DateTime, Numeric

SCHEMA = "ledger"

Moment = DateTime(timezone=True)
Amount = Numeric(78, 0)
Total = Numeric()


def within(*args: Any, **options: Any) -> tuple[Any, ...]:
    """Table arguments: constraints first, then the schema and the storage options."""
    return (*args, {"schema": SCHEMA, **options})
