"""An index for what the journal says of one request: the events that its agent may follow."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A request's lines are read by it, however long the journal is."""
    op.create_index("ix_journal_workspace_id_subject_seq", "journal", ["workspace_id", "subject", "seq"])


def downgrade() -> None:
    """Without it."""
    op.drop_index("ix_journal_workspace_id_subject_seq", table_name="journal")
