"""One index of steps by words and facets, in place of an index of words and a wide one of columns; traces sorted.

It is derived from the deliberations: `tracejury.ledger.upgrading` fills it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COUNTED = ("outcome", "claim", "majority_outcome", "grade", "error_type")


def upgrade() -> None:
    """Replace the index of words, narrow the index by trace, add those that lists of traces sort by."""
    op.execute("DROP TABLE step_words")
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE TABLE step_search (n BIGINT PRIMARY KEY, terms tsvector NOT NULL)")
        op.execute("CREATE INDEX step_search_index ON step_search USING gin (terms)")
    else:
        op.execute("CREATE VIRTUAL TABLE step_search USING fts5(words, facets, content='', tokenize='unicode61')")
    op.drop_index("deliberation_by_trace", "deliberation")
    op.create_index("deliberation_by_trace", "deliberation", ["run_id", "trace_id", "step_index", *_COUNTED])
    for name in ("error", "abstained", "disagreements", "steps", "cost_usd"):
        op.create_index(f"tally_by_{name}", "tally", [sa.text(f"{name} DESC"), "n", "run_id"])
