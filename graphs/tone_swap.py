"""The control arm `tone-swap`: each step rewritten into the opposite surface style, kept only if it says the same.

Verdicts that change with the tone show that the judges are swayed by how a step sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pydantic import BaseModel, Field

from tracejury.models import CallFailed, ChatRequest, Data, Endpoint, Gateway, Message
from tracejury.traces import GivenStep, Trace, count_hedges, segment

CONFIDENT = "plain and sure of itself, in short declarative sentences, with no hedging words such as 'may' or 'likely'"
HEDGED = "careful and tentative, in flowing sentences with hedging words such as 'may', 'likely', 'suggests', 'appears'"


class Rewritten(BaseModel):
    """The reply of the rewriting model."""

    text: str = Field(min_length=1, max_length=4000)


class Checked(BaseModel):
    """The reply of the checking model; the differences come before the decision."""

    differences: str = Field(max_length=600)
    same_content: bool


class SwappedTrace(NamedTuple):
    """A trace after the swap, with counts of its steps."""

    trace: Trace
    swapped: int
    """Steps that are now in the other tone."""
    changed: int
    """Steps whose rewriting changed the content; they keep the original text."""
    failed: int
    """Steps without a usable rewriting or check; they keep the original text."""


async def tone_swap(
    traces: Iterable[Trace], gateway: Gateway, endpoint: Endpoint, *, segmenter: str = "auto", in_flight: int = 8
) -> AsyncIterator[SwappedTrace]:
    """Rewrite traces step by step, in order. Calls are recorded and cached, so repeating it costs nothing.

    Args:
        traces: The traces to rewrite; their answers stay.
        gateway: The gateway for all calls.
        endpoint: The model that rewrites and checks.
        segmenter: Cuts the traces into steps; the new traces bring these steps.
        in_flight: Number of traces at once.
    """
    places = asyncio.Semaphore(in_flight)

    async def one(trace: Trace) -> SwappedTrace:
        async with places:
            return await _swap(trace, gateway, endpoint, segmenter)

    waiting: list[asyncio.Task[SwappedTrace]] = []
    try:
        for trace in traces:
            waiting.append(asyncio.create_task(one(trace)))
            if len(waiting) >= 2 * in_flight:
                yield await waiting.pop(0)
        while waiting:
            yield await waiting.pop(0)
    finally:
        for task in waiting:
            task.cancel()


async def _swap(trace: Trace, gateway: Gateway, endpoint: Endpoint, segmenter: str) -> SwappedTrace:
    steps = segment(trace, segmenter).steps
    texts, counts = [], {"swapped": 0, "changed": 0, "failed": 0}
    for step in steps:
        try:
            new = await _rewritten(step.text, trace.id, gateway, endpoint)
        except CallFailed:
            new, what = None, "failed"
        else:
            what = "swapped" if new else "changed"
        counts[what] += 1
        texts.append(new or step.text)
    new_steps, at = [], 0
    for text, step in zip(texts, steps, strict=True):
        end = at + len(text)
        new_steps.append(GivenStep(text=text, start=at, end=end, label=step.label, error_type=step.error_type))
        at = end + 1
    meta = {**trace.meta, "control": "tone-swap", "original": trace.id, **counts}
    swapped = trace.model_copy(update={"text": "\n".join(texts), "steps": tuple(new_steps), "meta": meta})
    # Validated anew, because the id depends on the text.
    return SwappedTrace(Trace.model_validate(swapped.model_dump()), **counts)


async def _rewritten(text: str, trace_id: str, gateway: Gateway, endpoint: Endpoint) -> str | None:
    """Return the step in the other tone; None: the rewriting changes the content."""
    tone = CONFIDENT if count_hedges(text) else HEDGED
    rewrite_message = Message(role="user", parts=(f"{_prompt('tone_swap')}\n{tone}\n\n", Data(label="step", text=text)))
    reply = await gateway.chat(_request(endpoint, rewrite_message, "tone_swap", trace_id, Rewritten))
    new: str = reply.parsed.text.strip()
    parts = (f"{_prompt('tone_check')}\n\n", Data(label="original", text=text), Data(label="rewritten", text=new))
    check = _request(endpoint, Message(role="user", parts=parts), "tone_check", trace_id, Checked)
    check_reply: Checked = (await gateway.chat(check)).parsed
    return new if check_reply.same_content and new else None


def _request(endpoint: Endpoint, message: Message, purpose: str, trace_id: str, schema: type[BaseModel]) -> ChatRequest:
    return ChatRequest(
        endpoint=endpoint, messages=(message,), purpose=purpose, fence_key=trace_id, schema=schema, max_tokens=1024
    )


@cache
def _prompt(name: str) -> str:
    text = (files("tracejury.graphs") / "prompts" / f"{name}.md").read_text("utf-8")
    return text.split("---\n", 2)[2].strip()
