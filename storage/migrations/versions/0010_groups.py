"""Which requests their agent asked about together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of groups' members; requests from before are in none."""
    op.create_table(
        "group_members",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_group_members_request_id"),
        sa.PrimaryKeyConstraint("workspace_id", "requester", "group_id", "place", name="pk_group_members"),
    )


def downgrade() -> None:
    """Without it nobody waits for a group; each request stays as it is."""
    op.drop_table("group_members")
