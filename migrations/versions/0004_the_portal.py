"""the portal: sessions, second factor, links and mail, deletion requests; the audit log

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

TABLES = ("mails", "links", "deletion_requests", "sessions", "recovery_codes")
ROLES = "'user', 'viewer', 'accountant', 'approver', 'admin'"
RIGHTS = f"""
GRANT SELECT, INSERT, UPDATE, DELETE ON {", ".join(TABLES)} TO dreamland_app;
GRANT SELECT, INSERT ON audit_events TO dreamland_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dreamland_app;

CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'DL010';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
"""


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("sign_ins", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("sign_ins", _moment("totp_since"))
    op.add_column("sign_ins", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("sign_ins", _moment("disabled_at"))
    op.execute("UPDATE sign_ins SET email = lower(email)")
    op.create_index("users_email", "users", [sa.text("lower(email)")])
    _people()
    _mail()
    _audit()
    op.execute(RIGHTS)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _people() -> None:
    op.create_table(
        "recovery_codes",
        _number("sign_in_id", nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _moment("used_at"),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"]),
        sa.PrimaryKeyConstraint("sign_in_id", "code_hash"),
    )
    op.create_table(
        "sessions",
        _id(),
        _number("sign_in_id", nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        _moment("created_at", nullable=False),
        _moment("last_seen_at", nullable=False),
        _moment("ended_at"),
        _text("address"),
        _text("browser"),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index(op.f("sessions_sign_in_id_index"), "sessions", ["sign_in_id"])
    op.create_table(
        "deletion_requests",
        _id(),
        _number("user_id", nullable=False),
        _moment("requested_at", nullable=False),
        _moment("withdrawn_at"),
        _moment("done_at"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "deletion_requests_open",
        "deletion_requests",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL AND done_at IS NULL"),
    )


def _mail() -> None:
    op.create_table(
        "links",
        _id(),
        _text("kind", nullable=False),
        _text("email", nullable=False),
        _number("sign_in_id"),
        _number("user_id"),
        _text("role"),
        _text("name"),
        _moment("created_at", nullable=False),
        _moment("expires_at", nullable=False),
        _moment("used_at"),
        sa.CheckConstraint(
            "kind IN ('sign_up', 'invitation', 'reset', 'email_change')", name=op.f("links_kind")
        ),
        sa.CheckConstraint(f"role IN ({ROLES})", name=op.f("links_role")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("links_email_index"), "links", ["email"])
    op.create_index(op.f("links_sign_in_id_index"), "links", ["sign_in_id"])
    op.create_table(
        "mails",
        _id(),
        _text("kind", nullable=False),
        _text("email", nullable=False),
        _number("link_id"),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _moment("created_at", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_at", nullable=False),
        _moment("sent_at"),
        _text("problem"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("mails_link_id_index"), "mails", ["link_id"])
    op.create_index("mails_due", "mails", ["next_at"], postgresql_where=sa.text("sent_at IS NULL"))


def _audit() -> None:
    op.create_table(
        "audit_events",
        _id(),
        _moment("at", nullable=False),
        _text("actor", nullable=False),
        _number("sign_in_id"),
        _text("actor_name"),
        _text("role"),
        _text("action", nullable=False),
        _text("target", nullable=False),
        _text("target_id"),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        _text("address"),
        _text("browser"),
        _text("request_id"),
        sa.CheckConstraint(
            "actor IN ('person', 'command_line', 'client', 'system')",
            name=op.f("audit_events_actor"),
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_events_at", "audit_events", ["at", "id"])
    op.create_index("audit_events_action", "audit_events", ["action", "at", "id"])
    op.create_index(
        "audit_events_name",
        "audit_events",
        ["actor_name", "at", "id"],
        postgresql_where=sa.text("actor_name IS NOT NULL"),
    )
    op.create_index("audit_events_person", "audit_events", ["sign_in_id", "at", "id"])
    op.create_index("audit_events_target", "audit_events", ["target", "target_id", "at", "id"])


def downgrade() -> None:
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION refuse_audit_change()")
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("users_email", "users")
    for name in ("disabled_at", "totp_step", "totp_since", "totp_secret", "name"):
        op.drop_column("sign_ins", name)
