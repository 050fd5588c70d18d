"""The first ledger: runs, questions, traces, deliberations, and the calls."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("finished", sa.String(40)),
        sa.Column("panel_name", sa.String(200), nullable=False),
        sa.Column("panel", sa.JSON, nullable=False),
        sa.Column("manifest", sa.JSON, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("traces_total", sa.Integer),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "trace",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("question_id", sa.String(32), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("gold", sa.Text),
        sa.Column("answer_correct", sa.Boolean),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("segmentation", sa.JSON, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("trace_by_arm", "run_id", "arm"),
        sa.Index("trace_by_question", "run_id", "question_id"),
    )
    op.create_table(
        "deliberation",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("step_id", sa.String(32), primary_key=True),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("step_index", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("error_type", sa.String(32)),
        sa.Column("claim", sa.Boolean, nullable=False),
        sa.Column("route", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("confidence", sa.Float),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("label", sa.String(12)),
        sa.Column("disagreement", sa.Boolean, nullable=False),
        sa.Column("resolver", sa.Boolean, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("committed", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["run_id", "trace_id"], ["trace.run_id", "trace.id"]),
        sa.Index("deliberation_by_trace", "run_id", "trace_id", "step_index"),
        sa.Index("deliberation_by_outcome", "run_id", "outcome"),
    )
    op.create_table(
        "model_call",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("started", sa.String(40), nullable=False),
        sa.Column("latency_s", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("raw", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("usable", sa.Boolean),
        sa.Index("model_call_by_key", "key"),
    )
