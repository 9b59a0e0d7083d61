"""Column types that the tables share."""

from sqlalchemy import DateTime, Numeric, text

Moment = DateTime(timezone=True)
Total = Numeric()
ZERO = text("0")
