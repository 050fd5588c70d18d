"""The tables of model calls, in the same database as the ledger's tables, or in a database of their own (`calls.db`).

A database of calls alone has no version: missing tables are created. A table here is therefore never changed, only
joined by another one; `tracejury.ledger.migrations` holds the changes of a ledger.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

CALL_TABLES = MetaData()

model_call = Table(
    "model_call",
    CALL_TABLES,
    Column("id", String(40), primary_key=True),
    Column("key", String(80), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("started", String(40), nullable=False),
    Column("latency_s", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("raw", Text),
    Column("finish_reason", Text),
    Column("prompt_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("error", Text),
    # Null until the reply is parsed. False takes the reply out of the cache: neither it nor its repair was usable, and
    # a resumed run asks again.
    Column("usable", Boolean),
    Index("model_call_by_key", "key"),
)

# Batches at a provider, and the keys of the questions in them.
model_batch = Table(
    "model_batch",
    CALL_TABLES,
    Column("id", String(200), primary_key=True),
    Column("address", Text, nullable=False),
    Column("questions", JSON, nullable=False),
    # Whether every reply of the batch is in `model_call`.
    Column("done", Boolean, nullable=False),
)

# Log-probabilities of the letters that a call was asked for (`CallRecord.letter_logprobs`), as JSON.
model_letters = Table(
    "model_letters",
    CALL_TABLES,
    Column("call_id", String(40), primary_key=True),
    Column("logprobs", Text, nullable=False),
)

# The rendered prompt of a call: for each message, its role and the ids of its parts, as JSON.
model_prompt = Table(
    "model_prompt",
    CALL_TABLES,
    Column("call_id", String(40), primary_key=True),
    Column("layout", Text, nullable=False),
)

# The parts of prompts by their hash: rules, a vignette, a passage, shared by many calls and stored once.
model_prompt_part = Table(
    "model_prompt_part",
    CALL_TABLES,
    Column("id", String(32), primary_key=True),
    Column("text", Text, nullable=False),
)

# Which run paid for a call: a cap on spending cannot wait until the deliberation, which names its calls, is complete.
model_paid = Table(
    "model_paid",
    CALL_TABLES,
    Column("run_id", String(32), primary_key=True),
    Column("call_id", String(40), primary_key=True),
    Column("tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
)
