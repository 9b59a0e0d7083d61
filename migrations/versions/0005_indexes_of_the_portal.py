"""indexes of the portal: what the audit log is filtered by; links of a sign-in, mails of a link

Revision ID: 0005
Revises: 0004

Without the last, each old link that is forgotten had all mails read, to see that none names it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("audit_events_action", "audit_events", ["action", "at", "id"])
    op.create_index(
        "audit_events_name",
        "audit_events",
        ["actor_name", "at", "id"],
        postgresql_where=sa.text("actor_name IS NOT NULL"),
    )
    op.create_index(op.f("links_sign_in_id_index"), "links", ["sign_in_id"])
    op.create_index(op.f("mails_link_id_index"), "mails", ["link_id"])


def downgrade() -> None:
    op.drop_index(op.f("mails_link_id_index"), table_name="mails")
    op.drop_index(op.f("links_sign_in_id_index"), table_name="links")
    op.drop_index("audit_events_name", table_name="audit_events")
    op.drop_index("audit_events_action", table_name="audit_events")
