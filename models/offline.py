"""A gateway that sends nothing: what the cache cannot answer is collected, to be answered elsewhere and imported."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tracejury.models.adaptations import Adaptations
from tracejury.models.completions import NotACompletionError, completion_of
from tracejury.models.gateway import Gateway
from tracejury.models.records import CallFailed, CallRecord, ChatRequest, FailureReason, Message
from tracejury.models.request_body import chat_body
from tracejury.models.store import CallSink, CallStore
from tracejury.models.usage import read_usage

_KEY_LENGTH = 64


class PendingRequest(NamedTuple):
    """A request that the cache cannot answer."""

    key: str
    """Its key in the response cache: the `custom_id` under which its answer comes back."""
    purpose: str
    endpoint: str
    address: str
    model: str
    body: dict[str, Any]
    """The body that would be sent."""


class OfflineGateway(Gateway):
    """Answers from the response cache alone; a request without an answer is collected and fails.

    Attributes:
        pending: The collected requests by key, in the order of asking.
    """

    def __init__(self, store: CallSink, *, secret: bytes) -> None:
        super().__init__(store, secret=secret)
        self.pending: dict[str, PendingRequest] = {}

    async def _send(self, request: ChatRequest, messages: tuple[Message, ...], purpose: str, key: str) -> CallRecord:
        endpoint = request.endpoint
        body = chat_body(request, messages, self._fence(request), Adaptations(), request.max_tokens)
        content = {"model": endpoint.model, "messages": body.messages, **body.fields}
        self.pending[key] = PendingRequest(key, purpose, endpoint.name, endpoint.address, endpoint.model, content)
        raise CallFailed(FailureReason.UNANSWERED, "the request is collected, and not answered yet")


class ImportTally(NamedTuple):
    """What came of an import."""

    imported: int
    failed: int
    """Requests that failed elsewhere: they stay pending."""
    present: int
    """Answers that the cache has already."""


async def import_answers(store: CallStore, lines: Iterable[tuple[str, Mapping[str, Any]]]) -> ImportTally:
    """Fill the response cache with answers that were made elsewhere.

    Args:
        store: The call store of the ledger that the run will use.
        lines: Place (file and line) and object of each answer: the output of a Batch API (`custom_id`, `response`), or
            `custom_id` with `reply`, the text or the object that a model gave.

    Raises:
        ValueError: A line is no answer; the message names the place.
    """
    imported = failed = present = 0
    for place, line in lines:
        key = str(line.get("custom_id") or "")
        if len(key) != _KEY_LENGTH or set(key) - set("0123456789abcdef"):
            raise ValueError(f"{place}: custom_id {key!r} is none of `tracejury cases`; keep it as it was written")
        body = _body_of(line)
        try:
            completion = completion_of(body)
        except NotACompletionError:
            failed += 1
            continue
        if completion.problem or completion.is_filtered:
            failed += 1
        elif await store.cached(key) is not None:
            present += 1
        else:
            usage = read_usage(completion.usage, "", completion.text)
            model = str(body.get("model") or "unknown")
            call = CallRecord(
                id=secrets.token_hex(16), key=key, purpose="imported", endpoint="imported", model=model,
                started=datetime.now(UTC).isoformat(timespec="milliseconds"), latency_s=0.0, attempts=0,
                raw=completion.text, finish_reason=completion.finish_reason, prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens, completion_tokens=usage.completion_tokens,
            )  # fmt: skip
            await store.record(call, ())
            imported += 1
    return ImportTally(imported, failed, present)


def _body_of(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a chat completion in a line; of a failed request its error."""
    if "reply" in line:
        reply = line["reply"]
        text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
        return {"model": line.get("model"), "choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    response = line.get("response")
    body = response.get("body") if isinstance(response, Mapping) else None
    if not isinstance(body, Mapping):
        return {"error": line.get("error") or "no response"}
    return body
