"""Which requests were put before people, on whose account, and which of those people rejected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAITING = """
INSERT INTO asked (request_id, workspace_id, account, call, at)
SELECT id, workspace_id,
       CASE requester WHEN 'runner'
       THEN coalesce('runner:' || json_extract(document, '$.requester.owner'), 'runner') ELSE requester END,
       json_extract(document, '$.digest'), created_at
FROM requests WHERE state = 'pending'
"""
"""What waits at the time of the upgrade counts towards its agent's budget too."""


def upgrade() -> None:
    """The tables of agents' accounts."""
    op.create_table(
        "asked",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rejected_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_asked_request_id"),
        sa.PrimaryKeyConstraint("request_id", name="pk_asked"),
    )
    op.create_index("ix_asked_workspace_id_account_at", "asked", ["workspace_id", "account", "at"])
    op.create_index(
        "ix_asked_workspace_id_account_rejected_at",
        "asked",
        ["workspace_id", "account", "rejected_at"],
        sqlite_where=sa.text("rejected_at IS NOT NULL"),
    )
    op.create_table(
        "resumed",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account", name="pk_resumed"),
    )
    op.execute(WAITING)


def downgrade() -> None:
    """Back to a schema that counts nothing on agents' accounts."""
    op.drop_table("resumed")
    op.drop_table("asked")
