"""What the keys of instances are derived from besides the provisioner's secret."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Instances from before have none."""
    op.add_column("instances", sa.Column("salt", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """An older program can't show a credential again that has one."""
    op.execute("ALTER TABLE instances DROP COLUMN salt")
