"""wallets: holds, payment claims, credits added as data

Revision ID: 0002
Revises: 0001

No call could book in a credit's ledger before: no posting needs a wallet balance of its own. The check
and the index of `entries` read the table once: 0.3 s a million entries, while nothing is posted. The
posting function has other parameters afterwards: processes of before have to be stopped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("entries", sa.Column("hold_seq", sa.BigInteger()), schema="ledger")
    op.create_check_constraint(
        op.f("entries_hold"),
        "entries",
        "(hold_seq IS NULL) = (kind_id NOT IN (7, 8))",
        schema="ledger",
    )
    op.create_index(
        "entries_ended_once",
        "entries",
        ["owner_id", "hold_seq"],
        unique=True,
        schema="ledger",
        postgresql_where=sa.text("hold_seq IS NOT NULL"),
    )
    op.add_column("postings", sa.Column("wallet_balance", sa.Numeric()), schema="ledger")
    _follow_holds()
    op.create_table(
        "holds",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_seq", sa.BigInteger(), nullable=True),
        sa.Column("ledger_id", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "seq", name=op.f("holds_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "holds_due",
        "holds",
        ["expires_at"],
        schema="ledger",
        postgresql_where=sa.text("ended_seq IS NULL"),
    )
    op.create_index("holds_wallet", "holds", ["owner_id", "ledger_id", "seq"], schema="ledger")
    op.create_table(
        "payment_claims",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "reference", name=op.f("payment_claims_pkey")),
        schema="ledger",
    )
    op.create_index(
        "payment_claims_owner", "payment_claims", ["owner_id", "key_hash"], schema="ledger"
    )


def _follow_holds() -> None:
    """What the posting function must know of a kind that touches a hold."""
    for name in ("available_id", "held_id"):
        op.add_column("flows", sa.Column(name, sa.SmallInteger()), schema="ledger")
        op.create_foreign_key(
            op.f(f"flows_{name}_fkey"),
            "flows",
            "accounts",
            [name],
            ["id"],
            source_schema="ledger",
            referent_schema="ledger",
        )
    op.add_column("flows", sa.Column("hold", sa.Text()), schema="ledger")
    op.create_check_constraint(
        op.f("flows_hold"), "flows", "hold IN ('opens', 'captures', 'releases')", schema="ledger"
    )
    for table, name in (("flows", "names_provider"), ("pairs", "wallet")):
        false = sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, false, schema="ledger")
    op.drop_constraint(op.f("pairs_role"), "pairs", schema="ledger")
    op.create_check_constraint(
        op.f("pairs_role"),
        "pairs",
        "role IN ('amount', 'converted', 'fee', 'rest')",
        schema="ledger",
    )


IN_USE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM ledger.postings WHERE wallet_balance IS NOT NULL) THEN
        RAISE EXCEPTION 'credits were booked: the tables of before have no place for their holds and payments';
    END IF;
END $$
"""


def downgrade() -> None:
    """Only while no credit was booked: what wallets had, holds and claims would be lost for good."""
    op.execute(IN_USE)
    op.execute("DELETE FROM ledger.pairs WHERE role = 'rest'")
    op.drop_constraint(op.f("pairs_role"), "pairs", schema="ledger")
    op.create_check_constraint(
        op.f("pairs_role"), "pairs", "role IN ('amount', 'converted', 'fee')", schema="ledger"
    )
    op.drop_column("pairs", "wallet", schema="ledger")
    for name in ("names_provider", "hold", "held_id", "available_id"):
        op.drop_column("flows", name, schema="ledger")
    op.drop_table("payment_claims", schema="ledger")
    op.drop_table("holds", schema="ledger")
    op.drop_column("postings", "wallet_balance", schema="ledger")
    op.drop_column("entries", "hold_seq", schema="ledger")
