"""the books

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.ledger import functions

revision = "0001"
down_revision = None

RIGHTS = """
GRANT USAGE ON SCHEMA public TO dreamland_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, sign_ins, api_clients, api_keys,
    conversion_runs, conversion_chunks TO dreamland_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dreamland_app;
GRANT SELECT ON alembic_version TO dreamland_app;
"""


def upgrade() -> None:
    connection = op.get_bind()
    functions.create_role(connection)
    op.execute("CREATE SCHEMA ledger")
    op.execute(sa.schema.CreateSequence(sa.Sequence("user_numbers")))
    op.create_table(
        "api_clients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("api_clients_pkey")),
        sa.UniqueConstraint("name", name=op.f("api_clients_name_key")),
    )
    op.create_table(
        "conversion_runs",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("users", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("usd", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("residue", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('due', 'running', 'waiting_for_rate', 'failed', 'done')",
            name=op.f("conversion_runs_state"),
        ),
        sa.PrimaryKeyConstraint("hour", name=op.f("conversion_runs_pkey")),
    )
    op.create_table(
        "account_balances",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("never_negative", sa.Boolean(), nullable=False),
        sa.Column("debits", sa.Numeric(), nullable=False),
        sa.Column("credits", sa.Numeric(), nullable=False),
        sa.CheckConstraint(
            "NOT never_negative OR debits >= credits", name=op.f("account_balances_floor")
        ),
        sa.PrimaryKeyConstraint("owner_id", "account_id", name=op.f("account_balances_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "assets",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('token', 'currency', 'credit')", name=op.f("assets_kind")),
        sa.CheckConstraint("scale BETWEEN 0 AND 30", name=op.f("assets_scale")),
        sa.PrimaryKeyConstraint("code", name=op.f("assets_pkey")),
        schema="ledger",
    )
    op.create_table(
        "clock_shift",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("shift", sa.Interval(), nullable=False),
        sa.Column("fixed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("clock_shift_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("clock_shift_pkey")),
        schema="ledger",
    )
    op.create_table(
        "closed_hours",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("closed_hours_pkey")),
        schema="ledger",
    )
    op.create_table(
        "daily_balances",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("daily_id", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("debits", sa.Numeric(), nullable=False),
        sa.Column("credits", sa.Numeric(), nullable=False),
        sa.Column("used", sa.Numeric(), nullable=False),
        sa.CheckConstraint(
            "used BETWEEN 0 AND 5000000000000000000", name=op.f("daily_balances_limit")
        ),
        sa.PrimaryKeyConstraint("owner_id", "account_id", "day", name=op.f("daily_balances_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "entry_kinds",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("entry_kinds_pkey")),
        sa.UniqueConstraint("code", name=op.f("entry_kinds_code_key")),
        schema="ledger",
    )
    op.create_table(
        "owners",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "last_booked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'::timestamptz"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("owners_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("region", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("creation_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("external_id", name=op.f("users_external_id_key")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_clients.id"], name=op.f("api_keys_client_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("api_keys_secret_hash_key")),
    )
    op.create_index(op.f("api_keys_client_id_index"), "api_keys", ["client_id"], unique=False)
    op.create_table(
        "conversion_chunks",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after_owner", sa.BigInteger(), nullable=False),
        sa.Column("upto_owner", sa.BigInteger(), nullable=False),
        sa.Column("users", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("usd", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("residue", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["hour"], ["conversion_runs.hour"], name=op.f("conversion_chunks_hour_fkey")
        ),
        sa.PrimaryKeyConstraint("hour", "number", name=op.f("conversion_chunks_pkey")),
    )
    op.create_index(
        "conversion_chunks_open",
        "conversion_chunks",
        ["hour", "number"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "entries",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("reverses_seq", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("accounting_date", sa.Date(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("key_hash", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("game", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(reverses_seq IS NULL) = (kind_id <> 11)", name=op.f("entries_reverses")
        ),
        sa.CheckConstraint("length(request_hash) = 32", name=op.f("entries_request_hash")),
        sa.CheckConstraint("seq > 0", name=op.f("entries_seq")),
        sa.PrimaryKeyConstraint("owner_id", "seq", name=op.f("entries_pkey")),
        sa.UniqueConstraint("owner_id", "key_hash", name="entries_key"),
        schema="ledger",
    )
    op.create_index(
        "entries_reversed_once",
        "entries",
        ["owner_id", "reverses_seq"],
        unique=True,
        schema="ledger",
        postgresql_where=sa.text("reverses_seq IS NOT NULL"),
    )
    op.create_table(
        "fee_rules",
        sa.Column("kind_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("fixed", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=False),
        sa.CheckConstraint("fixed >= 0 AND basis_points >= 0", name=op.f("fee_rules_not_negative")),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["ledger.entry_kinds.id"], name=op.f("fee_rules_kind_id_fkey")
        ),
        sa.PrimaryKeyConstraint("kind_id", "from_at", name=op.f("fee_rules_pkey")),
        schema="ledger",
    )
    op.create_table(
        "hour_rates",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate", sa.Numeric(precision=36, scale=18), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("hour_rates_positive")),
        sa.ForeignKeyConstraint(
            ["hour"], ["ledger.closed_hours.hour"], name=op.f("hour_rates_hour_fkey")
        ),
        sa.PrimaryKeyConstraint("hour", name=op.f("hour_rates_pkey")),
        schema="ledger",
    )
    op.create_table(
        "ledgers",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["asset"], ["ledger.assets.code"], name=op.f("ledgers_asset_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("ledgers_pkey")),
        sa.UniqueConstraint("code", name=op.f("ledgers_code_key")),
        schema="ledger",
    )
    op.create_table(
        "owner_zones",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ledger.owners.owner_id"], name=op.f("owner_zones_owner_id_fkey")
        ),
        sa.PrimaryKeyConstraint("owner_id", "from_at", name=op.f("owner_zones_pkey")),
        schema="ledger",
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(role = 'user') = (user_id IS NOT NULL)", name=op.f("sign_ins_user")),
        sa.CheckConstraint(
            "role IN ('user', 'viewer', 'accountant', 'approver', 'admin')",
            name=op.f("sign_ins_role"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("sign_ins_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sign_ins_pkey")),
        sa.UniqueConstraint("email", name=op.f("sign_ins_email_key")),
        sa.UniqueConstraint("user_id", name=op.f("sign_ins_user_id_key")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("never_negative", sa.Boolean(), nullable=False),
        sa.Column("day_limit", sa.Numeric(precision=78, scale=0), nullable=True),
        sa.CheckConstraint("scope IN ('user', 'company')", name=op.f("accounts_scope")),
        sa.CheckConstraint(
            "type IN ('asset', 'liability', 'equity', 'income', 'expense')",
            name=op.f("accounts_type"),
        ),
        sa.CheckConstraint("sign IN (-1, 1)", name=op.f("accounts_sign")),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["ledger.ledgers.id"], name=op.f("accounts_ledger_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
        sa.UniqueConstraint("ledger_id", "code", name=op.f("accounts_ledger_id_code_key")),
        schema="ledger",
    )
    op.create_table(
        "postings",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger_id", sa.SmallInteger(), nullable=False),
        sa.Column("debit_account_id", sa.SmallInteger(), nullable=False),
        sa.Column("credit_account_id", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.Column("debit_balance", sa.Numeric(), nullable=True),
        sa.Column("credit_balance", sa.Numeric(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "amount BETWEEN 1 AND 115792089237316195423570985008687907853269984665640564039457584007913129639935",
            name=op.f("postings_amount"),
        ),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("postings_differ")),
        sa.PrimaryKeyConstraint("owner_id", "seq", "line", name=op.f("postings_pkey")),
        schema="ledger",
    )
    op.create_index(
        "postings_booked",
        "postings",
        ["booked_at"],
        unique=False,
        schema="ledger",
        postgresql_using="brin",
    )
    op.create_index(
        "postings_wallet",
        "postings",
        ["owner_id", "ledger_id", "booked_at", "seq"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("ledger_id <> 3"),
    )
    op.create_table(
        "closed_totals",
        sa.Column("account_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("debits", sa.Numeric(), nullable=False),
        sa.Column("credits", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger.accounts.id"], name=op.f("closed_totals_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["hour"], ["ledger.closed_hours.hour"], name=op.f("closed_totals_hour_fkey")
        ),
        sa.PrimaryKeyConstraint("account_id", "hour", name=op.f("closed_totals_pkey")),
        schema="ledger",
    )
    op.create_table(
        "flows",
        sa.Column("kind_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.SmallInteger(), nullable=True),
        sa.Column("target_id", sa.SmallInteger(), nullable=True),
        sa.Column("limited_id", sa.SmallInteger(), nullable=True),
        sa.Column("day_limit", sa.Numeric(precision=78, scale=0), nullable=True),
        sa.Column("reversible", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["ledger.entry_kinds.id"], name=op.f("flows_kind_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["ledger.ledgers.id"], name=op.f("flows_ledger_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["limited_id"], ["ledger.accounts.id"], name=op.f("flows_limited_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["ledger.accounts.id"], name=op.f("flows_source_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["ledger.accounts.id"], name=op.f("flows_target_id_fkey")
        ),
        sa.PrimaryKeyConstraint("kind_id", "ledger_id", name=op.f("flows_pkey")),
        schema="ledger",
    )
    op.create_table(
        "pairs",
        sa.Column("kind_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("posting_ledger_id", sa.SmallInteger(), nullable=False),
        sa.Column("debit_account_id", sa.SmallInteger(), nullable=False),
        sa.Column("credit_account_id", sa.SmallInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("debit_sign", sa.SmallInteger(), nullable=False),
        sa.Column("credit_sign", sa.SmallInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('amount', 'converted', 'fee')", name=op.f("pairs_role")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("pairs_differ")),
        sa.ForeignKeyConstraint(
            ["credit_account_id"], ["ledger.accounts.id"], name=op.f("pairs_credit_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["debit_account_id"], ["ledger.accounts.id"], name=op.f("pairs_debit_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["ledger.entry_kinds.id"], name=op.f("pairs_kind_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["ledger.ledgers.id"], name=op.f("pairs_ledger_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["posting_ledger_id"], ["ledger.ledgers.id"], name=op.f("pairs_posting_ledger_id_fkey")
        ),
        sa.PrimaryKeyConstraint("kind_id", "ledger_id", "line", name=op.f("pairs_pkey")),
        schema="ledger",
    )
    op.execute(RIGHTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA ledger CASCADE")
    for table in (
        "conversion_chunks",
        "conversion_runs",
        "api_keys",
        "api_clients",
        "sign_ins",
        "users",
    ):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("user_numbers")))
    op.execute("REVOKE ALL ON SCHEMA public FROM dreamland_app")
    op.execute("REVOKE ALL ON alembic_version FROM dreamland_app")
