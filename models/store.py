"""The call store: every paid call, recorded before its reply is parsed, and the response cache over these records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine, Executable, func, inspect, select, text, update

from tracejury.models.records import CallRecord
from tracejury.models.rendered_prompts import split_prompt
from tracejury.models.tables import (
    CALL_TABLES,
    model_batch,
    model_call,
    model_letters,
    model_paid,
    model_prompt,
    model_prompt_part,
)
from tracejury.storage import (
    StoreError,
    Writer,
    insert_new,
    open_engine,
    open_transaction,
    run_in_thread,
    run_when_reachable,
    unreachable_error,
)

_PARTS_REMEMBERED = 20_000
"""Ids of prompt parts that are known to be stored, so that they need not be written again: about 2 MB."""
_FIELDS = tuple(c.name for c in model_call.columns if c.name != "usable")
_NEWEST = (
    f"SELECT {', '.join(_FIELDS)}, "  # noqa: S608 - column names of our own
    "(SELECT logprobs FROM model_letters WHERE call_id = model_call.id) FROM model_call "
    "WHERE key = ? AND raw IS NOT NULL AND (usable IS NULL OR usable) ORDER BY started DESC LIMIT 1"
)


class CallTotals(NamedTuple):
    """Number, tokens and cost of all calls in a store."""

    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


class RunSpending(NamedTuple):
    """The spending of a run."""

    usd: float
    tokens: int


class CallSink(Protocol):
    """The part of a call store that the gateway needs, in this process or another."""

    @property
    def write_failure(self) -> StoreError | None:
        """Why no call can be recorded, as far as this process knows; None: calls can be recorded."""
        ...

    async def record(self, call: CallRecord, prompt: Sequence[Mapping[str, str]]) -> None:
        """Record a call and its rendered prompt; both are durable on return."""
        ...

    async def cached(self, key: str) -> CallRecord | None:
        """Return the newest reply under `key` that is not marked unusable, as a call without cost."""
        ...

    async def mark_unusable(self, ids: tuple[str, ...]) -> None:
        """Record that the replies of these calls cannot be used; `cached` does not return them any more."""
        ...


class CallStore:
    """Calls and cached replies, in the same database as the ledger.

    Args:
        url: Database URL, see `open_engine`; or an open engine.
        writer: Shared with the ledger where both use one database, so that SQLite has one writer.
        run: The run that pays for the calls, so that a cap holds over all invocations of it; None: no run.

    Raises:
        StoreError: The database cannot be opened.
    """

    def __init__(self, url: str | Engine, writer: Writer | None = None, *, run: str | None = None) -> None:
        self.engine = open_engine(url) if isinstance(url, str) else url
        self.writer = writer or Writer(self.engine)
        self._run = run
        _make_tables(self.engine)
        self._insert = insert_new(self.engine.dialect.name, model_call)
        self._insert_payment = insert_new(self.engine.dialect.name, model_paid)
        self._insert_letters = insert_new(self.engine.dialect.name, model_letters)
        self._insert_prompt = insert_new(self.engine.dialect.name, model_prompt)
        self._insert_part = insert_new(self.engine.dialect.name, model_prompt_part)
        self._stored_parts: set[str] = set()
        # Every call looks here first. On SQLite that takes microseconds on an open connection of its own, and ten times
        # that through SQLAlchemy.
        self._reader = self.engine.raw_connection() if self.engine.dialect.name == "sqlite" else None

    @property
    def write_failure(self) -> StoreError | None:
        """Why the database was given up by any of its users in this process; None: it accepts writes."""
        return unreachable_error(self.engine)

    async def record(self, call: CallRecord, prompt: Sequence[Mapping[str, str]]) -> None:
        """Record a call and its rendered prompt; both are durable on return."""
        row = call.__dict__.copy()
        del row["from_cache"], row["letter_logprobs"], row["usage_estimated"]
        if call.letter_logprobs is not None:
            # Queued before the call itself, so that it is durable no later.
            logprobs = json.dumps(call.letter_logprobs, separators=(",", ":"))
            self.writer.add(self._insert_letters, {"call_id": call.id, "logprobs": logprobs})
        if self._run is not None:
            tokens = call.prompt_tokens + call.completion_tokens
            payment = {"run_id": self._run, "call_id": call.id, "tokens": tokens, "cost_usd": call.cost_usd}
            # Queued before the call itself, so that it is durable no later than the call.
            self.writer.add(self._insert_payment, payment)
        layout, parts = split_prompt(prompt)
        for part_id, part in parts.items():
            if part_id not in self._stored_parts:
                self.writer.add(self._insert_part, {"id": part_id, "text": part})
        self.writer.add(self._insert_prompt, {"call_id": call.id, "layout": layout})
        await self.writer.insert(self._insert, row)
        if len(self._stored_parts) > _PARTS_REMEMBERED:
            self._stored_parts.clear()
        self._stored_parts.update(parts)

    async def cached(self, key: str) -> CallRecord | None:
        """Return the newest reply under `key` that is not marked unusable, as a call without cost."""
        if self._reader is not None:
            row = self._reader.cursor().execute(_NEWEST, (key,)).fetchone()
        else:
            row = await run_in_thread(self._fetch, key)
        if row is None:
            return None
        fields = dict(zip(_FIELDS, row[:-1], strict=True))
        letters = None if row[-1] is None else json.loads(row[-1])
        free = {"from_cache": True, "latency_s": 0.0, "attempts": 0, "cost_usd": 0.0, "letter_logprobs": letters}
        return CallRecord(**fields | free)

    def _fetch(self, key: str) -> Sequence[Any] | None:
        def fetch(connection: Connection) -> Sequence[Any] | None:
            return connection.execute(text(_NEWEST.replace("?", ":key")), {"key": key}).first()

        return run_when_reachable(self.engine, fetch)

    async def mark_unusable(self, ids: tuple[str, ...]) -> None:
        """Record that the replies of these calls cannot be used; `cached` does not return them any more."""
        statement = update(model_call).where(model_call.c.id.in_(ids)).values(usable=False)

        def write(connection: Connection) -> None:
            connection.execute(statement)

        await self.writer.write(write)

    def submit(self, statement: Executable) -> None:
        """Queue a statement without waiting for it."""

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

    def totals(self) -> CallTotals:
        """Return number, tokens and cost of all calls in the store."""
        columns = model_call.c
        query = select(
            func.count(),
            *(func.coalesce(func.sum(c), 0) for c in (columns.prompt_tokens, columns.cached_tokens)),
            *(func.coalesce(func.sum(c), 0) for c in (columns.completion_tokens, columns.cost_usd)),
        )
        with self.engine.connect() as connection:
            return CallTotals(*connection.execute(query).one())

    def unfinished_batches(self) -> dict[str, int]:
        """Return the batches with replies that are not recorded yet: id -> number of questions."""
        query = select(model_batch.c.id, model_batch.c.questions).where(model_batch.c.done.is_(False))
        with self.engine.connect() as connection:
            return {name: len(questions) for name, questions in connection.execute(query)}

    def spending(self, run: str) -> RunSpending:
        """Return the spending of a run in all of its invocations, including steps without a deliberation."""
        columns = model_paid.c
        query = select(func.coalesce(func.sum(columns.cost_usd), 0.0), func.coalesce(func.sum(columns.tokens), 0))
        with self.engine.connect() as connection:
            usd, tokens = connection.execute(query.where(columns.run_id == run)).one()
        return RunSpending(float(usd), int(tokens))

    def close(self, patience_s: float | None = None) -> None:
        """Commit pending writes, then close the database.

        Args:
            patience_s: Abandon writes that are not committed within this time, as after a cancellation; None: wait.
        """
        self.writer.close(patience_s)
        if self._reader is not None:
            self._reader.close()
        self.engine.dispose()


def _make_tables(engine: Engine) -> None:
    with open_transaction(engine) as connection:
        present = set(inspect(connection).get_table_names())
    if not present.issuperset(CALL_TABLES.tables):
        with open_transaction(engine, changing_tables=True) as connection:
            CALL_TABLES.create_all(connection)
