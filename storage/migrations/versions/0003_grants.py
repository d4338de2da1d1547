"""What people approve in advance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of grants."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("policy_digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_grants_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index(
        "ix_grants_workspace_id_requester_tool_expires_at",
        "grants",
        ["workspace_id", "requester", "tool", "expires_at"],
    )
    op.create_index("ix_grants_workspace_id_created_at", "grants", ["workspace_id", "created_at"])


def downgrade() -> None:
    """Back to a schema without grants: every call is asked about again."""
    op.drop_table("grants")
