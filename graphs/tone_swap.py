"""The control arm `tone-swap`: each step rewritten into the opposite surface style, kept only if it says the same.

Were the judges swayed by how a step sounds, their verdicts would follow the tone; they are to follow the content.
"""

from __future__ import annotations

import asyncio
import hashlib
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
    """What the rewriter answers."""

    text: str = Field(min_length=1, max_length=4000)


class Checked(BaseModel):
    """What the check answers; the differences come before the decision."""

    differences: str = Field(max_length=600)
    same_content: bool


class Swapped(NamedTuple):
    """A trace after the swap, and how far it went."""

    trace: Trace
    swapped: int
    """Steps now in the other tone."""
    changed: int
    """Rewritten, but no longer saying the same: the original stays."""
    failed: int
    """No usable rewriting or check: the original stays."""


async def tone_swap(
    traces: Iterable[Trace], gateway: Gateway, endpoint: Endpoint, *, segmenter: str = "auto", in_flight: int = 8
) -> AsyncIterator[Swapped]:
    """Rewrite traces step by step, in order; calls are recorded and cached, so that the same again costs nothing.

    Args:
        traces: What to rewrite. Their answers are kept.
        gateway: Where calls go through.
        endpoint: The model that rewrites and checks.
        segmenter: Cuts the traces; the new ones bring these steps with them.
        in_flight: Traces at once.
    """
    places = asyncio.Semaphore(in_flight)

    async def one(trace: Trace) -> Swapped:
        async with places:
            return await _swap(trace, gateway, endpoint, segmenter)

    waiting: list[asyncio.Task[Swapped]] = []
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


async def _swap(trace: Trace, gateway: Gateway, endpoint: Endpoint, segmenter: str) -> Swapped:
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
    given, at = [], 0
    for text, step in zip(texts, steps, strict=True):
        given.append(GivenStep(text=text, start=at, end=at + len(text), label=step.label, error_type=step.error_type))
        at += len(text) + 1
    meta = {**trace.meta, "control": "tone-swap", "original": trace.id, **counts}
    swapped = trace.model_copy(update={"text": "\n".join(texts), "steps": tuple(given), "meta": meta})
    # The id hangs on the text: it is made anew, not copied.
    return Swapped(Trace.model_validate(swapped.model_dump()), **counts)


async def _rewritten(text: str, trace_id: str, gateway: Gateway, endpoint: Endpoint) -> str | None:
    """Return the step in the other tone; None: the rewriting does not say the same."""
    tone = CONFIDENT if count_hedges(text) else HEDGED
    asked = Message(role="user", parts=(f"{_prompt('tone_swap')}\n{tone}\n\n", Data(label="step", text=text)))
    reply = await gateway.chat(_request(endpoint, asked, "tone_swap", trace_id, Rewritten))
    new: str = reply.parsed.text.strip()
    parts = (f"{_prompt('tone_check')}\n\n", Data(label="original", text=text), Data(label="rewritten", text=new))
    check = _request(endpoint, Message(role="user", parts=parts), "tone_check", trace_id, Checked)
    said: Checked = (await gateway.chat(check)).parsed
    return new if said.same_content and new else None


def _request(endpoint: Endpoint, message: Message, purpose: str, trace_id: str, schema: type[BaseModel]) -> ChatRequest:
    return ChatRequest(
        endpoint=endpoint, messages=(message,), purpose=purpose, fence_key=trace_id, schema=schema, max_tokens=1024
    )


def tone_prompts() -> dict[str, str]:
    """Return the SHA-256 of the two prompts, for a run's record."""
    return {name: hashlib.sha256(_prompt(name).encode()).hexdigest() for name in ("tone_swap", "tone_check")}


@cache
def _prompt(name: str) -> str:
    text = (files("tracejury.graphs") / "prompts" / f"{name}.md").read_text("utf-8")
    return text.split("---\n", 2)[2].strip()
