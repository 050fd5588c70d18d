"""The call store: every call that was paid, written down before its reply is parsed, and the response cache over it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Executable,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tracejury.models.engine import open_engine
from tracejury.models.records import CallRecord
from tracejury.models.writer import Writer

metadata = MetaData()

model_call = Table(
    "model_call",
    metadata,
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
    # Null until the reply was parsed. False takes it out of the cache: neither it nor its repair was usable, and a
    # resumed run should ask again.
    Column("usable", Boolean),
    Index("model_call_by_key", "key"),
)


# Batches at a provider, and the keys of the questions in them.
model_batch = Table(
    "model_batch",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("address", Text, nullable=False),
    Column("questions", JSON, nullable=False),
    # Every reply that came back is in `model_call`.
    Column("done", Boolean, nullable=False),
)

_FIELDS = tuple(c.name for c in model_call.columns if c.name != "usable")
_NEWEST = (
    f"SELECT {', '.join(_FIELDS)} FROM model_call "  # noqa: S608 - column names of our own
    "WHERE key = ? AND raw IS NOT NULL AND (usable IS NULL OR usable) ORDER BY started DESC LIMIT 1"
)


class Spent(NamedTuple):
    """What all calls in a store cost."""

    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


class CallStore:
    """Calls and cached replies, in the same database as the ledger.

    Args:
        url: Database URL, see `open_engine`; or an engine that is open already.
        writer: Shared with the ledger where both stand in one database, so that SQLite sees one writer.
    """

    def __init__(self, url: str | Engine, writer: Writer | None = None) -> None:
        self.engine = open_engine(url) if isinstance(url, str) else url
        self.writer = writer or Writer(self.engine)
        metadata.create_all(self.engine)
        insert = postgres_insert if self.engine.dialect.name == "postgresql" else sqlite_insert
        self._insert = insert(model_call).on_conflict_do_nothing()
        # Every call looks here first. On SQLite that is a matter of microseconds on a connection kept open for it, and
        # ten times that through the toolkit.
        self._reader = self.engine.raw_connection() if self.engine.dialect.name == "sqlite" else None

    async def put(self, call: CallRecord) -> None:
        """Write down a call; it is durable on return."""
        row = call.__dict__.copy()
        del row["from_cache"]
        await self.writer.insert(self._insert, row)

    async def cached(self, key: str) -> CallRecord | None:
        """Return the newest reply under `key` that is not known to be unusable, as a call that cost nothing."""
        if self._reader is not None:
            row = self._reader.cursor().execute(_NEWEST, (key,)).fetchone()
        else:
            row = await asyncio.to_thread(self._fetch, key)
        if row is None:
            return None
        fields = dict(zip(_FIELDS, row, strict=True))
        return CallRecord(**fields | {"from_cache": True, "latency_s": 0.0, "attempts": 0, "cost_usd": 0.0})

    def _fetch(self, key: str) -> Sequence[Any] | None:
        with self.engine.connect() as connection:
            return connection.execute(text(_NEWEST.replace("?", ":key")), {"key": key}).first()

    def judge_usable(self, ids: tuple[str, ...], usable: bool) -> None:
        """Note whether the replies of these calls could be used; not waited for, since losing it only costs a parse."""
        self.submit(update(model_call).where(model_call.c.id.in_(ids)).values(usable=usable))

    def submit(self, statement: Executable) -> None:
        """Queue a statement that nobody waits for."""

        def write(connection: Connection) -> None:
            connection.execute(statement)

        self.writer.submit(write)

    def calls(self, key: str | None = None) -> list[CallRecord]:
        """Return the calls in the store, oldest first; with `key` only those under it."""
        query = select(model_call).order_by(model_call.c.started)
        if key is not None:
            query = query.where(model_call.c.key == key)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [CallRecord(**{name: row[name] for name in _FIELDS}) for row in rows]

    def spent(self) -> Spent:
        """Return what all calls in the store cost together."""
        columns = model_call.c
        query = select(
            func.count(),
            *(func.coalesce(func.sum(c), 0) for c in (columns.prompt_tokens, columns.cached_tokens)),
            *(func.coalesce(func.sum(c), 0) for c in (columns.completion_tokens, columns.cost_usd)),
        )
        with self.engine.connect() as connection:
            return Spent(*connection.execute(query).one())

    def close(self) -> None:
        """Write what waits, then close the database."""
        self.writer.close()
        if self._reader is not None:
            self._reader.close()
        self.engine.dispose()
