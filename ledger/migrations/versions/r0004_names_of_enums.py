"""Tallies hold error types and reasons by name; they held a bit for each, whose meaning changed with the enum's order.

The names are derived from the deliberations: `tracejury.ledger.upgrading` counts all tallies again afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Replace two columns and rename one."""
    for name in ("error_type_names", "reason_names"):
        op.add_column("tally", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name in ("error_types", "reasons"):
        op.execute(f"ALTER TABLE tally DROP COLUMN {name}")
    op.execute("ALTER TABLE tally RENAME COLUMN heard TO judged")
