"""The roles there are. What each may see and do, the one table in pages/rules.py says."""

USER = "user"
"""Of a user of the games; all others are the company's."""
STAFF = ("viewer", "accountant", "approver", "admin")
CHANGING = frozenset(STAFF) - {"viewer"}
"""Those that may change anything: they must have a second factor."""
