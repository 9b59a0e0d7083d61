"""The roles there are. What each may see and do, the one table in pages/rules.py says."""

USER = "user"
"""Of a user of the games; all others are the company's."""
STAFF = ("viewer", "accountant", "approver", "admin")
CHANGING = frozenset(STAFF) - {"viewer"}
"""Those that may change anything: they must have a second factor."""
ABOUT = {
    "viewer": "Looks at everything, changes nothing.",
    "accountant": "May also have things done again: an hour converted, the books verified, a job.",
    "approver": "May also decide what the books take for true: an hour's rate, by hand.",
    "admin": "May also let others in: API clients and staff.",
}
"""What each role of staff is for, as people are told."""
