"""What lists of steps filter and search by, readers' notes on steps, and the relation that experts see in a quote.

The new columns and the index of words are derived from the deliberations: `tracejury.ledger.upgrading` fills them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FACETS = ("outcome", "claim", "majority_outcome", "grade", "reason", "error_type", "disagreement", "resolver")


def upgrade() -> None:
    """Add columns, a table and the index of words; widen one index in place of two."""
    op.add_column("deliberation", sa.Column("majority_outcome", sa.String(12)))
    op.add_column("deliberation", sa.Column("grade", sa.String(8)))
    op.drop_index("deliberation_by_outcome", "deliberation")
    op.drop_index("deliberation_by_trace", "deliberation")
    columns = ["run_id", "trace_id", "step_index", *_FACETS, "votes", "step_id"]
    op.create_index("deliberation_by_trace", "deliberation", columns)
    op.add_column("review", sa.Column("relation", sa.String(20)))
    op.create_table(
        "step_note",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("step_id", sa.String(32), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("saved", sa.String(40), nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE TABLE step_words (n BIGINT PRIMARY KEY, words tsvector NOT NULL)")
        op.execute("CREATE INDEX step_words_index ON step_words USING gin (words)")
    else:
        op.execute("CREATE VIRTUAL TABLE step_words USING fts5(words, content='', tokenize='unicode61')")
