"""Agents' keys that a provisioner made over HTTP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row for each, under what it was asked for by."""
    op.create_table(
        "instances",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("provisioner", sa.String(), nullable=False),
        sa.Column("idempotency", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("registration_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_instances_key_id"),
        sa.ForeignKeyConstraint(["provisioner"], ["api_keys.id"], name="fk_instances_provisioner"),
        sa.PrimaryKeyConstraint("key_id", name="pk_instances"),
        sa.UniqueConstraint(
            "workspace_id", "provisioner", "idempotency", name="uq_instances_workspace_id_provisioner_idempotency"
        ),
    )


def downgrade() -> None:
    """An older program knows no provisioners: their keys end, the agents' that they made stay."""
    now = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
    op.execute(f"UPDATE api_keys SET revoked_at = {now} WHERE revoked_at IS NULL AND kind = 'provisioner'")  # noqa: S608
    op.drop_table("instances")
