"""Indexes for what is counted before a call is judged: an agent's recent calls of a tool, and its pending requests."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Both counts are told by an index alone."""
    op.create_index(
        "ix_requests_workspace_id_requester_tool_created_at",
        "requests",
        ["workspace_id", "requester", "tool", "created_at"],
    )
    op.create_index("ix_requests_workspace_id_requester_state", "requests", ["workspace_id", "requester", "state"])


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_requests_workspace_id_requester_state", table_name="requests")
    op.drop_index("ix_requests_workspace_id_requester_tool_created_at", table_name="requests")
