"""What the viewer's pages read (votes, tallies, carried references, words), experts' reviews, batches at a provider.

The pages' rows are derived from the deliberations: `tracejury.ledger.upgrading` writes them once the tables are there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTS = ("heard", "supported", "error", "abstained", "failed", "no_claim", "disagreements", "resolved")
_SUMS = ("error_types", "reasons", "calls", "prompt_tokens", "cached_tokens", "completion_tokens")


def upgrade() -> None:
    """Add a column and tables."""
    op.add_column("deliberation", sa.Column("votes", sa.Text, nullable=False, server_default=""))
    votes = ["run_id", "votes", "outcome", "label", "step_id"]
    op.create_index("deliberation_by_votes", "deliberation", votes)
    op.create_table(
        "tally",
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("question_id", sa.String(32), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("correct", sa.Boolean),
        sa.Column("steps", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
        sa.Column("first_error", sa.Integer),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _SUMS),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("committed", sa.String(40)),
        sa.Index("tally_in_order", "run_id", "n"),
        sa.Index("tally_by_trace", "trace_id", "run_id", unique=True),
        sa.Index("tally_by_question", "question_id", "run_id"),
    )
    op.create_table(
        "evidence",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("citation", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "carried",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("evidence_id", sa.String(64), primary_key=True),
        sa.Column("step_id", sa.String(32), primary_key=True),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("step_index", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Index("carried_by_evidence", "run_id", "evidence_id", "outcome", "step_id"),
    )
    op.create_table(
        "review_sheet",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "review",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("expert", sa.String(80), primary_key=True),
        sa.Column("step_id", sa.String(32), primary_key=True),
        sa.Column("label", sa.String(12)),
        sa.Column("error_type", sa.String(32)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("saved", sa.String(40), nullable=False),
    )
    op.create_table(
        "model_batch",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("questions", sa.JSON, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE TABLE trace_words (n INTEGER PRIMARY KEY, words tsvector NOT NULL)")
        op.execute("CREATE INDEX trace_words_index ON trace_words USING gin (words)")
    else:
        op.execute("CREATE VIRTUAL TABLE trace_words USING fts5(words, content='', tokenize='unicode61')")
