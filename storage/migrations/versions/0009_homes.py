"""Who has a Home before them, so that a stop leaves none behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row for each person who used their Home lately."""
    op.create_table(
        "homes",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name="pk_homes"),
    )


def downgrade() -> None:
    """Back to a schema without Homes: after a stop each is shown anew only when it is opened."""
    op.drop_table("homes")
