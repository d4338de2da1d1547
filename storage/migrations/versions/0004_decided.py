"""An index for what people decided lately; what the policy settles alone isn't in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lists of what was decided, and people's own numbers, read this index alone."""
    op.create_index("ix_decisions_at", "decisions", ["at"], sqlite_where=sa.text('"by" <> \'["policy"]\''))


def downgrade() -> None:
    """Without it."""
    op.drop_index("ix_decisions_at", table_name="decisions")
