"""finance: late totals, totals of fees, verifications; entries and users found by other names; forms of keys

Revision ID: 0005
Revises: 0004

The indexes read each table once; the totals of fees are made of the hours that are closed already.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

TOTALS = ("late_totals", "fee_totals")
RANGES = {"pages_per_range": 32, "autosummarize": "on"}
FILTER = "(n_distinct_per_range = 2000, false_positive_rate = 0.001)"
KEY_BLOOM = f"uuid_send(key_hash) bytea_bloom_ops {FILTER}"
REFERENCE_BLOOM = f"reference text_bloom_ops {FILTER}"
BLOOMS = {"entries_key_bloom": KEY_BLOOM, "entries_reference_bloom": REFERENCE_BLOOM}
OF_USERS = {
    "users_newest": ("region", "created_at", "id"),
    "users_name": (sa.text("lower(display_name) text_pattern_ops"),),
    "users_external": (sa.text("external_id text_pattern_ops"),),
    "users_email": (sa.text("lower(email) text_pattern_ops"),),
}
"""With these operators an index finds what begins with a text, in any collation."""
LATE = "accounting_date < (booked_at AT TIME ZONE 'UTC')::date"
RIGHTS = """
GRANT SELECT ON ledger.late_totals, ledger.fee_totals TO dreamland_app;
GRANT SELECT, INSERT, UPDATE ON verifications TO dreamland_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dreamland_app;
"""
FEES = """
INSERT INTO ledger.fee_totals (hour, kind_id, debit_account_id, credit_account_id, region, accounting_date,
                               provider, game, entries, amount)
SELECT date_bin('1 hour', p.booked_at, 'epoch'), e.kind_id, p.debit_account_id, p.credit_account_id,
       (e.owner_id >> 48)::smallint, e.accounting_date, coalesce(p.provider, ''), coalesce(e.game, ''),
       count(*), sum(p.amount)
FROM ledger.postings p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
WHERE p.ledger_id = 3 AND p.booked_at < (SELECT max(hour) + interval '1 hour' FROM ledger.closed_hours)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def upgrade() -> None:
    _totals()
    op.create_table(
        "verifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        _moment("last_closed_hour", nullable=True),
        *(_count(name) for name in ("postings", "entries", "owners", "found")),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column(
            "differences", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('running', 'clean', 'differs', 'failed')", name=op.f("verifications_state")
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("api_keys", sa.Column("form_id", sa.Text()))
    op.create_unique_constraint(op.f("api_keys_form_id_key"), "api_keys", ["form_id"])
    op.execute(RIGHTS)
    op.drop_index("postings_booked", "postings", schema="ledger")
    _by_range("postings_booked", "postings", "booked_at")
    for name, bloom in BLOOMS.items():
        _by_range(name, "entries", bloom)
    late = sa.text(LATE)
    op.create_index(
        "entries_late", "entries", ["booked_at"], schema="ledger", postgresql_where=late
    )
    op.create_index("late_totals_dates", "late_totals", ["accounting_date"], schema="ledger")
    op.drop_index("users_email", "users")
    for name, columns in OF_USERS.items():
        op.create_index(name, "users", list(columns))
    op.execute(FEES)


def _totals() -> None:
    op.create_table(
        "late_totals",
        *(_account("account_id"), _date("accounting_date"), _moment("hour")),
        *(_total("debits"), _total("credits")),
        sa.CheckConstraint(
            "accounting_date < (hour AT TIME ZONE 'UTC')::date", name=op.f("late_totals_earlier")
        ),
        *(_of_account("account_id"), _of_hour()),
        sa.PrimaryKeyConstraint("account_id", "accounting_date", "hour"),
        schema="ledger",
    )
    op.create_table(
        "fee_totals",
        *(_moment("hour"), _account("kind_id")),
        *(_account("debit_account_id"), _account("credit_account_id"), _account("region")),
        *(_date("accounting_date"), _text("provider"), _text("game")),
        *(sa.Column("entries", sa.BigInteger(), nullable=False), _total("amount")),
        sa.ForeignKeyConstraint(["kind_id"], ["ledger.entry_kinds.id"]),
        *(_of_account("debit_account_id"), _of_account("credit_account_id"), _of_hour()),
        sa.PrimaryKeyConstraint(
            *("hour", "kind_id", "debit_account_id", "credit_account_id", "region"),
            *("accounting_date", "provider", "game"),
        ),
        schema="ledger",
    )


def _by_range(name: str, table: str, column: str) -> None:
    op.create_index(
        name,
        table,
        [sa.text(column)],
        schema="ledger",
        postgresql_using="brin",
        postgresql_with=RANGES,
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _account(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.SmallInteger(), nullable=False)


def _date(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def _total(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(), nullable=False)


def _of_account(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["ledger.accounts.id"])


def _of_hour() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["hour"], ["ledger.closed_hours.hour"])


def downgrade() -> None:
    for name in OF_USERS:
        op.drop_index(name, "users")
    op.create_index("users_email", "users", [sa.text("lower(email)")])
    for name in (*BLOOMS, "entries_late"):
        op.drop_index(name, "entries", schema="ledger")
    op.drop_index("postings_booked", "postings", schema="ledger")
    op.create_index(
        "postings_booked", "postings", ["booked_at"], schema="ledger", postgresql_using="brin"
    )
    op.drop_column("api_keys", "form_id")
    op.drop_table("verifications")
    for table in reversed(TOTALS):
        op.drop_table(table, schema="ledger")
