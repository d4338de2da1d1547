"""What people did before they decided: when they opened a call, and whether they were asked back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of attention; of reviews from before, nothing is known."""
    op.create_table(
        "attention",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_attention_request_id"),
        sa.PrimaryKeyConstraint("request_id", "revision", "user_id", name="pk_attention"),
    )
    op.create_index(
        "ix_attention_workspace_id_user_id_decided_at", "attention", ["workspace_id", "user_id", "decided_at"]
    )
    op.create_index("ix_attention_workspace_id_since", "attention", ["workspace_id", "since"])


def downgrade() -> None:
    """Without it, people's own numbers begin anew."""
    op.drop_table("attention")
