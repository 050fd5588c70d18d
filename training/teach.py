"""Sample teacher chains through the gateway, until enough are correct and differ from each other.

As in the paper (docs/PROTOCOL.md, 'Teacher data'): sample until a question has `keep` correct chains; after `misses`
misses in a row the prompt discloses the answer; at most `tries` tries; the chains of a question differ
(character-trigram Jaccard below `similarity`). A call that failed is no try: it is counted, and the same command
repeats it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from tracejury.models import CallFailed, ChatRequest, Endpoint, Gateway, Message, estimate_tokens, price_of
from tracejury.traces import Question, Trace, extract_answer, write_batch
from tracejury.training.failures import CallFailures
from tracejury.training.machine import commit
from tracejury.training.notebook import Notebook, claim
from tracejury.training.prompts import VERSION, question_prompt
from tracejury.training.recipe import RecipeError, RecipePart
from tracejury.training.rows import write_json


class TeachSpec(RecipePart):
    """How a teacher is sampled. The defaults are the paper's figures (docs/PROTOCOL.md, 'Teacher data')."""

    keep: int = Field(default=2, ge=1)
    """Correct chains a question."""
    misses: int = Field(default=5, ge=1)
    """Number of misses in a row after which the prompt discloses the answer."""
    tries: int = Field(default=20, ge=1)
    similarity: float = Field(default=0.6, gt=0, le=1)
    temperature: float = Field(default=0.7, ge=0)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = 2048
    seed: int = 42
    parallel: int = Field(default=32, ge=1)
    """Number of questions in work at a time; the tries of one question follow each other."""


class Bill(NamedTuple):
    """The cost of teaching."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float


class Tries:
    """The tries of one question, and what the next one must be. A resume restores both."""

    def __init__(self, question: Question, spec: TeachSpec, past: Sequence[dict[str, Any]] = ()) -> None:
        self.question = question
        self.spec = spec
        self.chains: list[dict[str, Any]] = []
        self.attempts = 0
        self.misses_in_a_row = 0
        self.disclosing = False
        self.drops: Counter[str] = Counter()
        for entry in past:
            self.count(entry)

    @property
    def open(self) -> bool:
        """Whether the question needs another try."""
        return len(self.chains) < self.spec.keep and self.attempts < self.spec.tries

    def count(self, entry: dict[str, Any]) -> None:
        """Count one try."""
        self.attempts += 1
        fate = self._fate(entry)
        if fate is None:
            self.chains.append(entry)
        else:
            self.drops[fate] += 1
        # A correct chain that is merely too similar to another is no miss: the teacher knows the answer.
        self.misses_in_a_row = 0 if fate in {None, "too similar"} else self.misses_in_a_row + 1
        self.disclosing = self.disclosing or self.misses_in_a_row >= self.spec.misses

    def _fate(self, entry: dict[str, Any]) -> str | None:
        if entry["finish_reason"] == "length":
            return "cut off by the token limit"
        if entry["answer"] is None:
            return "no answer found"
        if entry["answer"] != self.question.gold:
            return "wrong answer"
        if any(trigram_jaccard(entry["text"], other["text"]) >= self.spec.similarity for other in self.chains):
            return "too similar"
        return None


async def teach(
    questions: Sequence[Question],
    endpoint: Endpoint,
    gateway: Gateway,
    out: Path,
    *,
    spec: TeachSpec,
    arm: str = "teacher",
    stopping: asyncio.Event | None = None,
    progress: Callable[[int, int, Bill], None] | None = None,
) -> dict[str, Any]:
    """Ask the teacher until every question has its chains or its tries are used up; return the manifest.

    Args:
        questions: With gold answers; those without are dropped and counted.
        endpoint: The teacher.
        gateway: The gateway that makes the calls; its response cache makes a resume free.
        out: The folder that receives questions.jsonl, traces.jsonl, tries.progress and manifest.json.
        spec: How the teacher is sampled.
        arm: The arm of the traces.
        stopping: Set it to stop cleanly: tries that have begun are finished, the rest is left for the resume.
        progress: Receives (number of finished questions, number of questions, the cost so far).

    Returns:
        The manifest. Its `status` is `incomplete` where calls failed or the user stopped; the stage then counts as
        unfinished.

    Raises:
        RecipeError: The folder holds another teaching.
    """
    teacher_endpoint = endpoint.model_copy(update={"params": {**endpoint.params, "top_p": spec.top_p}})
    usable = [q for q in questions if q.gold is not None]
    inputs = {
        "questions": [q.id for q in usable],
        "spec": spec.model_dump(exclude={"parallel"}),
        "model": endpoint.model,
        "base_url": endpoint.base_url,
        "arm": arm,
        "prompt_version": VERSION,
    }
    finished_manifest = claim(out, inputs)
    if finished_manifest is not None:
        return finished_manifest
    started = time.perf_counter()
    failures = CallFailures()
    with Notebook(out / "tries.progress") as notebook:
        past: dict[str, list[dict[str, Any]]] = {}
        for entry in notebook.entries():
            past.setdefault(entry["question"], []).append(entry)
        every = [Tries(q, spec, past.get(q.id, ())) for q in usable]
        finished = sum(not t.open for t in every)
        bill = _sum_bill(entry for entries in past.values() for entry in entries)
        gate = asyncio.Semaphore(spec.parallel)

        async def work(tries: Tries) -> None:
            nonlocal finished, bill
            async with gate:
                while tries.open:
                    if stopping is not None and stopping.is_set():
                        return
                    try:
                        entry = await _try(tries, teacher_endpoint, gateway)
                    except CallFailed as failed:
                        failures.add(failed)
                        return
                    notebook.add(entry)
                    tries.count(entry)
                    bill = _add_bills(bill, _sum_bill([entry]))
            finished += 1
            if progress:
                progress(finished, len(every), bill)

        await asyncio.gather(*(work(t) for t in every if t.open))
        return _finish(out, every, questions, bill, inputs, failures, endpoint, arm, time.perf_counter() - started)


def expected_cost(questions: Sequence[Question], endpoint: Endpoint, spec: TeachSpec) -> tuple[Bill, Bill]:
    """Return the least and the most that teaching can cost: every first chain good, or every try used to its limit.

    The least assumes replies of a quarter of the token limit.
    """
    prompts = [estimate_tokens(question_prompt(q.stem, q.options)) for q in questions if q.gold is not None]

    def bill(calls: int, reply: int) -> Bill:
        prompt, completion = sum(prompts) * calls, len(prompts) * calls * reply
        price = price_of(endpoint)
        usd = (prompt * price.prompt + completion * price.completion) / 1e6
        return Bill(len(prompts) * calls, prompt, completion, round(usd, 4))

    return bill(spec.keep, spec.max_tokens // 4), bill(spec.tries, spec.max_tokens)


def trigram_jaccard(a: str, b: str) -> float:
    """Return the Jaccard similarity of two texts' character trigrams (case and spaces folded), from 0 to 1."""
    first, second = _trigrams(a), _trigrams(b)
    return len(first & second) / len(first | second) if first | second else 1.0


def _trigrams(text: str) -> set[str]:
    folded = " ".join(text.lower().split())
    return {folded[i : i + 3] for i in range(max(len(folded) - 2, 0))}


async def _try(tries: Tries, endpoint: Endpoint, gateway: Gateway) -> dict[str, Any]:
    question, spec, disclosed = tries.question, tries.spec, tries.disclosing
    prompt = question_prompt(question.stem, question.options, question.gold if disclosed else None)
    reply = await gateway.chat(
        ChatRequest(
            endpoint=endpoint,
            # Unfenced: the teacher is asked in the words that its student will be asked in.
            messages=(Message(role="user", parts=(prompt,)),),
            purpose="teach",
            fence_key=question.id,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            sample=tries.attempts,
            seed=spec.seed + tries.attempts,
        )
    )
    call = reply.calls[0]
    return {
        "question": question.id,
        "try": tries.attempts,
        "hint_used": disclosed,
        "text": reply.text.strip(),
        "answer": extract_answer(reply.text, question.options),
        "finish_reason": call.finish_reason or "stop",
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "cost_usd": call.cost_usd,
    }


def _sum_bill(entries: Iterable[dict[str, Any]]) -> Bill:
    """Return the cost of these tries."""
    bill = Bill(0, 0, 0, 0.0)
    for entry in entries:
        bill = _add_bills(bill, Bill(1, entry["prompt_tokens"], entry["completion_tokens"], entry["cost_usd"]))
    return bill


def _add_bills(a: Bill, b: Bill) -> Bill:
    """Return the sum of two bills."""
    return Bill(
        a.calls + b.calls, a.prompt_tokens + b.prompt_tokens, a.completion_tokens + b.completion_tokens, a.usd + b.usd
    )


def _finish(
    out: Path,
    every: Sequence[Tries],
    questions: Sequence[Question],
    bill: Bill,
    inputs: dict[str, Any],
    failures: CallFailures,
    endpoint: Endpoint,
    arm: str,
    seconds: float,
) -> dict[str, Any]:
    drops: Counter[str] = Counter()
    for tries in every:
        drops.update(tries.drops)
    drops["question without a gold answer"] += sum(q.gold is None for q in questions)
    traces = [
        _trace(tries.question, i, entry, endpoint.model, arm) for tries in every for i, entry in enumerate(tries.chains)
    ]
    incomplete = any(tries.open for tries in every)
    manifest = {
        **inputs,
        "status": "incomplete" if incomplete else "done",
        "traces": len(traces),
        "hint_used": sum(t.meta["hint_used"] is True for t in traces),
        "questions_by_chains": dict(sorted(Counter(len(t.chains) for t in every).items())),
        "drops": {k: n for k, n in sorted(drops.items()) if n},
        "failed_calls": dict(failures.counts),
        "failure_examples": failures.examples,
        **bill._replace(usd=round(bill.usd, 6))._asdict(),
        "seconds": round(seconds, 1),
        "commit": commit(),
    }
    if incomplete:
        return manifest
    if not traces:
        raise RecipeError(
            f"{out}: no chain was kept; dropped: {manifest['drops']}. See tries.progress for the replies."
        )
    write_batch([*(t.question for t in every), *traces], out)
    write_json(out / "manifest.json", manifest)
    return manifest


def _trace(question: Question, sample: int, entry: dict[str, Any], model: str, arm: str) -> Trace:
    return Trace(
        question_id=question.id,
        model=model,
        arm=arm,
        sample=sample,
        text=entry["text"],
        answer=entry["answer"],
        prompt_tokens=entry["prompt_tokens"],
        completion_tokens=entry["completion_tokens"],
        finish_reason=entry["finish_reason"],
        meta={"teacher": model, "hint_used": entry["hint_used"], "try": entry["try"]},
    )
