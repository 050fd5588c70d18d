"""OpenAI-style batches: a file of requests goes up and a file of replies comes down, later and at half the price.

A batch is recorded under its file's name before it is created, then under its own name. So a run that dies continues
its unfinished batches instead of paying twice, even if it died before it learnt a batch's name.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update

from tracejury.models.completions import NotACompletionError, completion_of
from tracejury.models.endpoint_client import Answer, EndpointClient
from tracejury.models.failures import NoAnswerError, fault_of
from tracejury.models.records import FailureReason
from tracejury.models.request_body import ChatBody
from tracejury.models.store import CallStore
from tracejury.models.tables import model_batch, model_call
from tracejury.storage import insert_new, run_in_thread, run_when_reachable

if TYPE_CHECKING:
    import openai

LINGER_S = 5.0
"""A batch is sent when no further request has come for this long."""
MAX_LINES = 20_000
POLL_S = (0.5, 60.0)
# Marks the name of an uploaded file whose batch has no known name yet.
_FILE_PREFIX = "file:"
_FINAL_STATUSES = ("completed", "failed", "expired", "cancelled")


@dataclass
class BatchProgress:
    """The current number of batches and of questions in them, for a progress display."""

    batches: int = 0
    questions: int = 0
    """Includes those that wait for their batch to be sent."""


class Batches:
    """Collects the requests to one endpoint into batches.

    Args:
        client: The client of the endpoint.
        store: Records the batches.
        progress: Shared by all endpoints of a gateway.
    """

    def __init__(self, client: EndpointClient, store: CallStore, progress: BatchProgress) -> None:
        self._client = client
        self._store = store
        self._progress = progress
        self._lines: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._unfinished: dict[str, str] | None = None
        self._loading = asyncio.Lock()
        self._unrecorded: dict[str, set[str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._last_request_at = 0.0

    async def chat(self, key: str, body: ChatBody) -> Answer:
        """Return the reply once its batch is back.

        Raises:
            NoAnswerError: The endpoint refused the batch or the line, or the batch expired.
        """
        async with self._loading:
            if self._unfinished is None:
                self._unfinished = await self._load_unfinished()
        reply: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[key] = reply
        if key in self._unfinished:
            batch = self._unfinished.pop(key)
            self._start(batch, self._collect(batch))
        else:
            self._lines[key] = {"model": self._client.endpoint.model, "messages": body.messages, **body.fields}
            self._last_request_at = time.monotonic()
            self._start("flush", self._flush())
        self._progress.questions += 1
        try:
            return await reply
        finally:
            self._progress.questions -= 1

    def mark_recorded(self, key: str) -> None:
        """Note that the reply under `key` is recorded; a batch whose replies are all recorded is finished."""
        for batch, keys in list(self._unrecorded.items()):
            keys.discard(key)
            if not keys:
                del self._unrecorded[batch]
                self._finish(batch)

    async def close(self) -> None:
        """Stop waiting. The batches go on at the provider, and the next run collects them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, name: str, work: Any) -> None:
        if name in self._tasks and not self._tasks[name].done():
            work.close()
            return
        self._tasks[name] = asyncio.create_task(self._guarded(work))

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Run `work`; its failure fails all waiting requests."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - raised in each waiting request
            self._fail(list(self._waiting), error)

    async def _load_unfinished(self) -> dict[str, str]:
        """Return key -> batch for unfinished batches of earlier runs; the provider's list names each file's batch."""
        rows = await run_in_thread(run_when_reachable, self._store.engine, self._load)
        uploaded = {name.removeprefix(_FILE_PREFIX): name for name in rows if name.startswith(_FILE_PREFIX)}
        if uploaded:
            client = await self._client.client()
            async for batch in client.batches.list(limit=100):
                if (name := uploaded.pop(batch.input_file_id, None)) is not None:
                    rows[batch.id] = rows.pop(name)
                    await self._rename(name, batch.id, rows[batch.id])
                if not uploaded:
                    break
            for name in uploaded.values():  # no batch was created for the file
                del rows[name]
                self._finish(name)
        return {key: batch for batch, keys in rows.items() for key in keys}

    def _load(self, connection: Connection) -> dict[str, list[str]]:
        query = select(model_batch.c.id, model_batch.c.questions).where(
            model_batch.c.address == self._client.name, model_batch.c.done.is_(False)
        )
        return {name: list(keys) for name, keys in connection.execute(query)}

    async def _rename(self, old_name: str, batch: str, keys: list[str]) -> None:
        insert_batch = insert_new(self._store.engine.dialect.name, model_batch)
        row = {"id": batch, "address": self._client.name, "questions": keys, "done": False}

        def write(connection: Connection) -> None:
            connection.execute(insert_batch, row)
            connection.execute(delete(model_batch).where(model_batch.c.id == old_name))

        await self._store.writer.write(write)

    def _finish(self, batch: str) -> None:
        self._store.submit(update(model_batch).where(model_batch.c.id == batch).values(done=True))

    async def _flush(self) -> None:
        while self._lines:
            if len(self._lines) < MAX_LINES and (wait := self._last_request_at + LINGER_S - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            keys = list(self._lines)[:MAX_LINES]
            lines = {key: self._lines.pop(key) for key in keys}
            try:
                batch = await self._send(lines)
            except Exception as error:  # noqa: BLE001 - raised in each waiting request
                self._fail(keys, error)
                continue
            self._start(batch, self._collect(batch))

    async def _send(self, lines: dict[str, dict[str, Any]]) -> str:
        url = "/v1/chat/completions"
        requests = ({"custom_id": key, "method": "POST", "url": url, "body": body} for key, body in lines.items())
        raw = "".join(json.dumps(line) + "\n" for line in requests).encode()
        client = await self._client.client()
        file = await client.files.create(file=("tracejury.jsonl", raw), purpose="batch")
        row = {"id": _FILE_PREFIX + file.id, "address": self._client.name, "questions": list(lines), "done": False}
        await self._store.writer.insert(insert_new(self._store.engine.dialect.name, model_batch), row)
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        await self._rename(_FILE_PREFIX + file.id, batch.id, list(lines))
        return batch.id

    async def _collect(self, name: str) -> None:
        self._progress.batches += 1
        try:
            await self._await(name)
        finally:
            self._progress.batches -= 1

    async def _await(self, name: str) -> None:
        import openai

        client = await self._client.client()
        pause = POLL_S[0]
        while True:
            try:
                batch = await client.batches.retrieve(name)
                if batch.status in _FINAL_STATUSES:
                    answers = await self._download(client, batch)
                    break
            except Exception as error:  # noqa: BLE001 - a poll that fails temporarily is repeated
                fault = fault_of(error)
                if fault is None or not fault.transient:
                    if isinstance(error, openai.NotFoundError):
                        self._finish(name)  # the provider forgot it: the next run sends the requests anew
                    self._fail(list(await self._keys(name)), error)
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, POLL_S[1])
        keys = await self._keys(name)
        unrecorded = await self._keys(name, with_recorded=False)
        # No await from here on: a later request finds this task done, and starts another.
        self._unrecorded[name] = unrecorded & set(answers) & self._unrecorded.get(name, unrecorded)
        for key, answer in answers.items():
            self._deliver(key, answer)
        # The lines that an expired batch did not reach.
        expired = NoAnswerError(FailureReason.UNAVAILABLE, f"batch {name} is {batch.status}", 1)
        self._fail(list(keys - set(answers)), expired)

    async def _keys(self, name: str, *, with_recorded: bool = True) -> set[str]:
        """Return the keys of a batch; `with_recorded=False` leaves out those with a recorded reply."""

        def look(connection: Connection) -> set[str]:
            keys = connection.execute(select(model_batch.c.questions).where(model_batch.c.id == name)).scalar_one()
            if with_recorded:
                return set(keys)
            recorded = select(model_call.c.key).where(model_call.c.key.in_(keys), model_call.c.raw.is_not(None))
            return set(keys).difference(connection.execute(recorded).scalars())

        return await run_in_thread(run_when_reachable, self._store.engine, look)

    async def _download(self, client: openai.AsyncOpenAI, batch: Any) -> dict[str, Answer | NoAnswerError]:
        answers: dict[str, Answer | NoAnswerError] = {}
        for file in (batch.output_file_id, batch.error_file_id):
            if file:
                for line in (await client.files.content(file)).content.decode().splitlines():
                    entry = json.loads(line)
                    answers[entry["custom_id"]] = _answer(entry)
        return answers

    def _deliver(self, key: str, answer: Answer | NoAnswerError) -> None:
        reply = self._waiting.pop(key, None)
        if reply is None or reply.done():
            return
        if isinstance(answer, Answer):
            reply.set_result(answer)
        else:
            reply.set_exception(answer)

    def _fail(self, keys: list[str], error: Exception) -> None:
        fault = fault_of(error)
        if not isinstance(error, NoAnswerError) and fault is not None:
            error = NoAnswerError(fault.reason, fault.detail, 1)
        for key in keys:
            reply = self._waiting.pop(key, None)
            if reply is not None and not reply.done():
                reply.set_exception(error)


def _answer(entry: dict[str, Any]) -> Answer | NoAnswerError:
    """Return the reply, or the failure, in a line of a batch's result files."""
    response = entry.get("response") or {}
    body = response.get("body")
    status = response.get("status_code", 0)
    if status != 200 or not isinstance(body, dict):
        reason = FailureReason.UNAVAILABLE if status in (0, 200, 408, 429) or status >= 500 else FailureReason.REFUSED
        error = (body.get("error") if isinstance(body, dict) else None) or entry.get("error")
        return NoAnswerError(reason, f"status {status}: {json.dumps(error)}", 1)
    try:
        return Answer(completion_of(body))
    except NotACompletionError as error:
        fault = fault_of(error)
        return NoAnswerError(fault.reason if fault else FailureReason.UNAVAILABLE, str(error), 1)
