"""What a key may do, whose it is, and the secrets that it had before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keys from before may do everything, as they could, each for the agent of its own name."""
    op.add_column("api_keys", sa.Column("agent", sa.String(), nullable=True))
    op.add_column("api_keys", sa.Column("may", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("tools", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("rotated_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE api_keys SET agent = name")
    op.create_index("ix_api_keys_workspace_id_agent", "api_keys", ["workspace_id", "agent"])
    op.create_table(
        "former_secrets",
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_former_secrets_key_id"),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_former_secrets"),
    )
    op.create_index("ix_former_secrets_key_id", "former_secrets", ["key_id"])


def downgrade() -> None:
    """An older program knows no limits: keys that have some, or belong to another agent, are revoked first."""
    op.drop_table("former_secrets")
    limited = "may IS NOT NULL OR tools IS NOT NULL OR agent <> name"
    now = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
    op.execute(f"UPDATE api_keys SET revoked_at = {now} WHERE revoked_at IS NULL AND ({limited})")  # noqa: S608
    op.drop_index("ix_api_keys_workspace_id_agent", table_name="api_keys")
    for column in ("agent", "may", "tools", "rotated_at"):
        op.execute(f"ALTER TABLE api_keys DROP COLUMN {column}")
