"""Messages that show several requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A copy is known by its message and its request."""
    _keyed_by("channel", "ts", "request_id")


def downgrade() -> None:
    """Back to one request for each message: of several the last is kept."""
    _keyed_by("channel", "ts")


def _keyed_by(*key: str) -> None:
    """Make the table anew with this primary key; SQLite can't change the one that it has."""
    op.drop_index("ix_copies_request_id", table_name="copies")
    op.rename_table("copies", "former_copies")
    op.create_table(
        "copies",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("shown_version", sa.Integer(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_copies_request_id"),
        sa.PrimaryKeyConstraint(*key, name="pk_copies"),
    )
    op.execute(
        'INSERT OR REPLACE INTO copies (channel, ts, request_id, "to", shown_version, private) '
        'SELECT channel, ts, request_id, "to", shown_version, private FROM former_copies'
    )
    op.drop_table("former_copies")
    op.create_index("ix_copies_request_id", "copies", ["request_id"])
