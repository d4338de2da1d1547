"""The digests: whose is due when, and what each lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row for each reader, and one for each request that their last digest lists."""
    op.create_table(
        "digests",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=True),
        sa.Column("day", sa.String(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "reader", name="pk_digests"),
    )
    op.create_index("ix_digests_workspace_id_next_at", "digests", ["workspace_id", "next_at"])
    op.create_table(
        "digest_lines",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.Column("shown_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_digest_lines_request_id"),
        sa.PrimaryKeyConstraint("workspace_id", "reader", "request_id", name="pk_digest_lines"),
    )


def downgrade() -> None:
    """Back to a schema without digests: nobody is told in the morning."""
    op.drop_table("digest_lines")
    op.drop_table("digests")
