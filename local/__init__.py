"""A developer's machine: PostgreSQL and Redis under var/, and the processes of bin/run.

Knows how to start and stop things, and nothing about ledgers, users or HTTP: it calls the
app only as a command line. The app never imports it; tests and benches may.
"""
