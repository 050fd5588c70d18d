"""Which run paid for a call, so that a cap on spending holds over all sittings of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; opening the calls alone, without the ledger, may have made it before."""
    op.create_table(
        "model_paid",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("call_id", sa.String(40), primary_key=True),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        if_not_exists=True,
    )
