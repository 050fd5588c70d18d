"""The ledger's tables. `tracejury.models` has tables for model calls and the response cache in the same database.

Columns hold what lists, filters and rates need; the whole record is stored beside them as the JSON text that Pydantic
wrote (SQLAlchemy's JSON type would parse and dump it a second time).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

COUNTED_VERDICTS = ("outcome", "claim", "majority_outcome", "grade", "error_type")
"""Columns of a deliberation that the comparison of arms counts."""

run_table = Table(
    "run",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created", String(40), nullable=False),
    Column("finished", String(40)),
    Column("panel_name", String(200), nullable=False),
    Column("panel", JSON, nullable=False),
    # What made the run: prompts' hashes, index manifest, segmenter, package versions, seed, inputs.
    Column("manifest", JSON, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("traces_total", Integer),
)

question_table = Table(
    "question",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("body", Text, nullable=False),
)

trace_table = Table(
    "trace",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("question_id", String(32), nullable=False),
    Column("model", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("sample", Integer, nullable=False),
    Column("answer", Text),
    Column("gold", Text),
    Column("answer_correct", Boolean),
    # From the segmenter; `closed` once every step has a deliberation that did not fail.
    Column("steps", Integer, nullable=False),
    Column("closed", Boolean, nullable=False, default=False),
    Column("segmentation", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Index("trace_by_arm", "run_id", "arm"),
    Index("trace_by_question", "run_id", "question_id"),
)

deliberation_table = Table(
    "deliberation",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("step_id", String(32), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("step_index", Integer, nullable=False),
    Column("outcome", String(12), nullable=False),
    # What the jury's majority holds, and how well the verdict is grounded; null where the run did not keep it.
    Column("majority_outcome", String(12)),
    Column("grade", String(8)),
    Column("error_type", String(32)),
    Column("claim", Boolean, nullable=False),
    Column("route", String(16), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("confidence", Float),
    Column("role", String(24), nullable=False),
    Column("label", String(12)),
    # The voting judges gave more than one label.
    Column("disagreement", Boolean, nullable=False),
    Column("resolver", Boolean, nullable=False),
    # The votes, as `tracejury.ledger.votes` writes them: `data:supported+|facts:error` (`+`: grounded).
    Column("votes", Text, nullable=False, server_default=""),
    Column("calls", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("committed", String(40), nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["run_id", "trace_id"], ["trace.run_id", "trace.id"]),
    # Covers what the comparison of arms counts; nothing else of a row is read for it.
    Index("deliberation_by_trace", "run_id", "trace_id", "step_index", *COUNTED_VERDICTS),
    # Covers the judges' page, which counts patterns of votes; nothing else of a row is read for it.
    Index("deliberation_by_votes", "run_id", "votes", "outcome", "label", "step_id"),
)

# --- tables that the viewer's pages read; tracejury.ledger.trace_statistics updates them ---

tally = Table(
    "tally",
    metadata,
    # The row id of the full-text index: SQLite renumbers any other on VACUUM.
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(32), nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("question_id", String(32), nullable=False),
    Column("model", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("sample", Integer, nullable=False),
    # An answer could be parsed.
    Column("answered", Boolean, nullable=False),
    Column("correct", Boolean),
    Column("steps", Integer, nullable=False),
    Column("judged", Integer, nullable=False, default=0),
    Column("supported", Integer, nullable=False, default=0),
    Column("error", Integer, nullable=False, default=0),
    Column("abstained", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("no_claim", Integer, nullable=False, default=0),
    Column("disagreements", Integer, nullable=False, default=0),
    Column("resolved", Integer, nullable=False, default=0),
    Column("first_error", Integer),
    # Types of the trace's errors, and reasons why steps have no verdict: `|factual|arithmetic|`. By name, so that a new
    # member of an enum changes nothing that is stored.
    Column("error_type_names", Text, nullable=False, server_default=""),
    Column("reason_names", Text, nullable=False, server_default=""),
    Column("calls", Integer, nullable=False, default=0),
    Column("prompt_tokens", Integer, nullable=False, default=0),
    Column("cached_tokens", Integer, nullable=False, default=0),
    Column("completion_tokens", Integer, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("committed", String(40)),
    # The run comes last in all but one, so that a scan of a run goes by the rows' own order: any other order of 100,000
    # rows was measured to read as many pages.
    Index("tally_in_order", "run_id", "n"),
    Index("tally_by_trace", "trace_id", "run_id", unique=True),
    Index("tally_by_question", "question_id", "run_id"),
)
for _name in ("error", "abstained", "disagreements", "steps", "cost_usd"):
    # A list that sorts by this, the most first, reads one page of it.
    Index(f"tally_by_{_name}", tally.c[_name].desc(), tally.c.n, tally.c.run_id)

evidence = Table(
    "evidence",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("citation", Text, nullable=False),
    # The passage as JSON; empty for the vignette and for steps, which differ from case to case.
    Column("body", Text, nullable=False),
)

carried = Table(
    "carried",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("evidence_id", String(64), primary_key=True),
    Column("step_id", String(32), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("step_index", Integer, nullable=False),
    Column("outcome", String(12), nullable=False),
    Index("carried_by_evidence", "run_id", "evidence_id", "outcome", "step_id"),
)

# The review sheet, sampled once per run, so that all experts label the same steps.
review_sheet = Table(
    "review_sheet",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("body", Text, nullable=False),
)

review = Table(
    "review",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("expert", String(80), primary_key=True),
    Column("step_id", String(32), primary_key=True),
    Column("label", String(12)),
    Column("error_type", String(32)),
    # What the expert holds of the quote that the sheet shows: `supports`, `contradicts`, `does not decide`.
    Column("relation", String(20)),
    Column("note", Text, nullable=False, default=""),
    Column("saved", String(40), nullable=False),
)

# What a reader wrote beside a step while reading; it is no review, and is in no figure.
step_note = Table(
    "step_note",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("step_id", String(32), primary_key=True),
    Column("text", Text, nullable=False),
    Column("saved", String(40), nullable=False),
)
