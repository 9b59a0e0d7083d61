"""the API: clients' limits, the event feed, webhooks, imports; closed periods

Revision ID: 0003
Revises: 0002

The index of `entries` reads the table once: 0.6 s a million entries, while nothing is posted.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

TABLES = ("import_refusals", "import_chunks", "imports", "webhook_stalls", "webhook_endpoints")
RIGHTS = f"""
GRANT SELECT, INSERT, UPDATE, DELETE ON {", ".join(TABLES)} TO dreamland_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dreamland_app;
"""


def upgrade() -> None:
    floor = sa.Sequence("clock_floor", schema="ledger", minvalue=0, start=0)
    op.execute(sa.schema.CreateSequence(floor))
    op.create_table(
        "closed_periods",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("closed_periods_month")),
        sa.PrimaryKeyConstraint("month"),
        schema="ledger",
    )
    op.create_index("entries_feed", "entries", ["booked_at", "owner_id", "seq"], schema="ledger")
    for name in ("games", "regions", "networks"):
        op.add_column("api_clients", sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("api_clients", sa.Column("rate_limit", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    _webhooks()
    _imports()
    op.execute(RIGHTS)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str, default: str | None = "0") -> sa.Column[object]:
    server_default = sa.text(default) if default else None
    return sa.Column(name, sa.Integer(), server_default=server_default, nullable=False)


def _client() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"])


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        _count("secret_version", "1"),
        _moment("old_secret_until"),
        _moment("read_at", nullable=False),
        sa.Column("read_owner", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _count("attempts"),
        _moment("failing_since"),
        _moment("next_at"),
        _moment("last_success_at"),
        _moment("last_failure_at"),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('enabled', 'disabled')", name=op.f("webhook_endpoints_state")
        ),
        _client(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("webhook_endpoints_client_id_index"), "webhook_endpoints", ["client_id"])
    op.create_table(
        "webhook_stalls",
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        _count("attempts", None),
        _moment("since", nullable=False),
        _moment("next_at", nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("endpoint_id", "owner_id"),
    )


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _count("lines", None),
        _moment("created_at", nullable=False),
        _moment("started_at"),
        _moment("finished_at"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done')", name=op.f("imports_state")),
        sa.CheckConstraint("format IN ('csv', 'jsonl')", name=op.f("imports_format")),
        _client(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id", "key_hash"),
    )
    op.create_table(
        "import_chunks",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _count("first_line", None),
        _count("lines", None),
        sa.Column("content", sa.Text(), nullable=True),
        *map(_count, ("posted", "replayed", "rejected")),
        _moment("finished_at"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"]),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_table(
        "import_refusals",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("param", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"]),
        sa.PrimaryKeyConstraint("import_id", "line"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("api_keys", "expires_at")
    for name in ("rate_limit", "networks", "regions", "games"):
        op.drop_column("api_clients", name)
    op.drop_index("entries_feed", "entries", schema="ledger")
    op.drop_table("closed_periods", schema="ledger")
    op.execute(sa.schema.DropSequence(sa.Sequence("clock_floor", schema="ledger")))
