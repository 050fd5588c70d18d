"""OpenAI-style batches: questions go up as a file, answers come down as one, at half the price and in its own time.

A batch is written down under its file's name before it is asked for, then under its own, so a run that dies takes up
what it left behind instead of paying twice, also where it died before it learned the batch's name.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import openai
from sqlalchemy import Connection, delete, select, update

from tracejury.models.endpoint_client import Answer, EndpointClient
from tracejury.models.failures import NoAnswerError, fault_of
from tracejury.models.records import FailureReason
from tracejury.models.store import CallStore
from tracejury.models.tables import model_batch, model_call
from tracejury.storage.engine import insert_new
from tracejury.storage.reconnecting import run_when_reachable

LINGER_S = 5.0
"""A batch is sent when no further question has come for this long."""
MAX_LINES = 20_000
POLL_S = (0.5, 60.0)
# Before the name of a file that was sent, until the name of its batch is known.
_SENT = "file:"
_OVER = ("completed", "failed", "expired", "cancelled")


@dataclass
class BatchProgress:
    """What is out in batches just now, for a progress display."""

    batches: int = 0
    questions: int = 0
    """Those that wait for a batch to be sent are among them."""


class Batches:
    """Collects the questions to one lane into batches.

    Args:
        lane: Where they go.
        store: Where batches are written down.
        underway: Shared by all lanes of a gateway.
    """

    def __init__(self, lane: EndpointClient, store: CallStore, underway: BatchProgress) -> None:
        self._lane = lane
        self._store = store
        self._underway = underway
        self._lines: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._left_behind: dict[str, str] | None = None
        self._loading = asyncio.Lock()
        self._unkept: dict[str, set[str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked_at = 0.0

    async def chat(self, key: str, messages: list[dict[str, str]], fields: dict[str, Any]) -> Answer:
        """Return the reply once its batch is back.

        Raises:
            NoAnswerError: The endpoint refused the batch or the line, or the batch expired.
        """
        async with self._loading:
            if self._left_behind is None:
                self._left_behind = await self._find_left_behind()
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[key] = done
        if key in self._left_behind:
            batch = self._left_behind.pop(key)
            self._start(batch, self._collect(batch))
        else:
            self._lines[key] = {"model": self._lane.endpoint.model, "messages": messages, **fields}
            self._asked_at = time.monotonic()
            self._start("flush", self._flush())
        self._underway.questions += 1
        try:
            return await done
        finally:
            self._underway.questions -= 1

    def kept(self, key: str) -> None:
        """Note that the reply under `key` is written down; a batch with nothing else in it is done with."""
        for batch, keys in list(self._unkept.items()):
            keys.discard(key)
            if not keys:
                del self._unkept[batch]
                self._finish(batch)

    async def close(self) -> None:
        """Stop waiting. The batches go on at the provider, and the next run finds them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, name: str, work: Any) -> None:
        if name in self._tasks and not self._tasks[name].done():
            work.close()
            return
        self._tasks[name] = asyncio.create_task(self._guarded(work))

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Whatever breaks here, nobody is left waiting for it."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - told to each who waits
            self._fail(list(self._waiting), error)

    async def _find_left_behind(self) -> dict[str, str]:
        """Return key -> batch for what other runs have out; the provider's list tells which batch a file became."""
        rows = await asyncio.to_thread(run_when_reachable, self._store.engine, self._load)
        sent = {name.removeprefix(_SENT): name for name in rows if name.startswith(_SENT)}
        if sent:
            client = await self._lane.client()
            async for batch in client.batches.list(limit=100):
                if (name := sent.pop(batch.input_file_id, None)) is not None:
                    rows[batch.id] = rows.pop(name)
                    await self._rename(name, batch.id, rows[batch.id])
                if not sent:
                    break
            for name in sent.values():  # it never became a batch
                del rows[name]
                self._finish(name)
        return {key: batch for batch, keys in rows.items() for key in keys}

    def _load(self, connection: Connection) -> dict[str, list[str]]:
        query = select(model_batch.c.id, model_batch.c.questions).where(
            model_batch.c.address == self._lane.name, model_batch.c.done.is_(False)
        )
        return {name: list(keys) for name, keys in connection.execute(query)}

    async def _rename(self, sent: str, batch: str, keys: list[str]) -> None:
        put = insert_new(self._store.engine.dialect.name, model_batch)
        row = {"id": batch, "address": self._lane.name, "questions": keys, "done": False}

        def write(connection: Connection) -> None:
            connection.execute(put, row)
            connection.execute(delete(model_batch).where(model_batch.c.id == sent))

        await self._store.writer.write(write)

    def _finish(self, batch: str) -> None:
        self._store.submit(update(model_batch).where(model_batch.c.id == batch).values(done=True))

    async def _flush(self) -> None:
        while self._lines:
            if len(self._lines) < MAX_LINES and (wait := self._asked_at + LINGER_S - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            keys = list(self._lines)[:MAX_LINES]
            lines = {key: self._lines.pop(key) for key in keys}
            try:
                batch = await self._send(lines)
            except Exception as error:  # noqa: BLE001 - told to each who waits
                self._fail(keys, error)
                continue
            self._start(batch, self._collect(batch))

    async def _send(self, lines: dict[str, dict[str, Any]]) -> str:
        url = "/v1/chat/completions"
        asked = ({"custom_id": key, "method": "POST", "url": url, "body": body} for key, body in lines.items())
        raw = "".join(json.dumps(line) + "\n" for line in asked).encode()
        client = await self._lane.client()
        file = await client.files.create(file=("tracejury.jsonl", raw), purpose="batch")
        sent = {"id": _SENT + file.id, "address": self._lane.name, "questions": list(lines), "done": False}
        await self._store.writer.insert(insert_new(self._store.engine.dialect.name, model_batch), sent)
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        await self._rename(_SENT + file.id, batch.id, list(lines))
        return batch.id

    async def _collect(self, name: str) -> None:
        self._underway.batches += 1
        try:
            await self._await(name)
        finally:
            self._underway.batches -= 1

    async def _await(self, name: str) -> None:
        client = await self._lane.client()
        pause = POLL_S[0]
        while True:
            try:
                batch = await client.batches.retrieve(name)
                if batch.status in _OVER:
                    answers = await self._download(client, batch)
                    break
            except Exception as error:  # noqa: BLE001 - a poll that fails for now is made again
                fault = fault_of(error)
                if fault is None or not fault.transient:
                    if isinstance(error, openai.NotFoundError):
                        self._finish(name)  # the provider forgot it: the next run asks anew
                    self._fail(list(await self._keys(name)), error)
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, POLL_S[1])
        asked = await self._keys(name)
        unwritten = await self._keys(name, written=False)
        # From here on without a pause: a question that comes later finds this task done, and starts another.
        self._unkept[name] = unwritten & set(answers) & self._unkept.get(name, unwritten)
        for key, answer in answers.items():
            self._deliver(key, answer)
        # Lines that an expired batch never came to.
        late = NoAnswerError(FailureReason.UNAVAILABLE, f"batch {name} is {batch.status}", 1)
        self._fail(list(asked - set(answers)), late)

    async def _keys(self, name: str, *, written: bool = True) -> set[str]:
        """Return the questions of a batch; without those whose replies are written down, if told so."""

        def look(connection: Connection) -> set[str]:
            asked = connection.execute(select(model_batch.c.questions).where(model_batch.c.id == name)).scalar_one()
            if written:
                return set(asked)
            there = select(model_call.c.key).where(model_call.c.key.in_(asked), model_call.c.raw.is_not(None))
            return set(asked).difference(connection.execute(there).scalars())

        return await asyncio.to_thread(run_when_reachable, self._store.engine, look)

    async def _download(self, client: openai.AsyncOpenAI, batch: Any) -> dict[str, Answer | NoAnswerError]:
        found: dict[str, Answer | NoAnswerError] = {}
        for file in (batch.output_file_id, batch.error_file_id):
            if file:
                for line in (await client.files.content(file)).content.decode().splitlines():
                    told = json.loads(line)
                    found[told["custom_id"]] = _answer(told)
        return found

    def _deliver(self, key: str, answer: Answer | NoAnswerError) -> None:
        done = self._waiting.pop(key, None)
        if done is None or done.done():
            return
        if isinstance(answer, Answer):
            done.set_result(answer)
        else:
            done.set_exception(answer)

    def _fail(self, keys: list[str], error: Exception) -> None:
        fault = fault_of(error)
        if not isinstance(error, NoAnswerError) and fault is not None:
            error = NoAnswerError(fault.reason, fault.detail, 1)
        for key in keys:
            done = self._waiting.pop(key, None)
            if done is not None and not done.done():
                done.set_exception(error)


def _answer(told: dict[str, Any]) -> Answer | NoAnswerError:
    response = told.get("response") or {}
    body = response.get("body") or {}
    status = response.get("status_code", 0)
    if status != 200:
        reason = FailureReason.UNAVAILABLE if status in (0, 408, 429) or status >= 500 else FailureReason.REFUSED
        return NoAnswerError(reason, f"status {status}: {json.dumps(body.get('error') or told.get('error'))}", 1)
    usage = body.get("usage") or {}
    spent = (
        usage.get("prompt_tokens") or 0,
        (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        usage.get("completion_tokens") or 0,
    )
    choice: dict[str, Any] = next(iter(body.get("choices") or ()), {})
    text = (choice.get("message") or {}).get("content") or ""
    error = None if text else "the reply is empty"
    return Answer(text, choice.get("finish_reason"), *spent, error, 0.0, 1, choice.get("logprobs"))
