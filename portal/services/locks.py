"""Classes of the advisory locks that services take, in one place: two of a class and number exclude each other.

The ledger's own are 1 (an hour) and 3 (the clock's mark): portal/ledger/sql/10_clock.sql.
"""

RUN = 2
"""An hour's conversion, by the number of the hour: who starts it."""
ENDPOINT = 7
"""A webhook endpoint, by its id: who delivers to it."""
CLIENT_ENDPOINTS = 8
"""A client's endpoints, by the client's id: who makes one."""
IMPORT = 9
"""An import, by its id: who books its lines."""
VERIFICATION = 10
"""The books (always 0): who verifies them."""
ADMINS = 12
"""Who is an admin (always 0): who changes that."""
