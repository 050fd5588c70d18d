"""Sample chains from a student: n a question, from an endpoint or in this process, resumable, as native traces.

The prompt is sent unfenced, in the words that the student was trained on; every later stage treats the reply as data.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import Field

from tracejury.models import CallFailed, ChatRequest, Endpoint, Gateway, Message
from tracejury.traces import Question, Trace, extract_answer, write_batch
from tracejury.training.back_ends import BackEnd, back_end_of, request_fields
from tracejury.training.chat import render_prompt
from tracejury.training.generating import Generator, SampledReply, batch_seed
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.notebook import Notebook, claim
from tracejury.training.prompts import VERSION, question_prompt
from tracejury.training.recipe import RecipePart, Student
from tracejury.training.rows import write_json
from tracejury.training.weights import identity_of

Progress = Callable[[int, int], None]
"""Receives (number of chains sampled, number of chains in all)."""


class SampleSpec(RecipePart):
    """How chains are sampled. The defaults are the paper's figures (docs/PROTOCOL.md, 'Sampling')."""

    n: int = Field(default=64, ge=1)
    temperature: float = Field(default=0.6, ge=0)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    seed: int = 42
    batch: int = Field(default=8, ge=1)
    """Questions sampled in one batch, in process."""


def sample_in_process(
    questions: Sequence[Question],
    weights: str,
    student: Student,
    out: Path,
    *,
    model: str,
    arm: str,
    spec: SampleSpec,
    base: str | None = None,
    backend: str = "trl",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Sample from weights in this process; return the manifest. Finished batches are not sampled again.

    Batches follow the order of the questions and are seeded by their content, so that a run that was killed gives the
    same traces as an uninterrupted one.
    """
    inputs = _inputs(questions, spec, model, arm) | {"weights": identity_of(weights), "think": student.think}
    finished_manifest = claim(out, inputs)
    if finished_manifest is not None:
        return finished_manifest
    started = time.perf_counter()
    with Notebook(out / "drawn.jsonl") as notebook:
        finished_ids = {entry["question"] for entry in notebook.entries()}
        groups = [questions[i : i + spec.batch] for i in range(0, len(questions), spec.batch)]
        waiting = [g for g in groups if any(q.id not in finished_ids for q in g)]
        generator = (
            Generator(weights, base=base, backend="unsloth" if backend == "unsloth" else "trl") if waiting else None
        )
        for group in waiting:
            assert generator is not None  # noqa: S101 - there is one where something waits
            replies = draw_group(generator, group, student, spec)
            notebook.add(
                *(
                    {"question": q.id, "sample": i, **reply._asdict()}
                    for q, replies_of_question in zip(group, replies, strict=True)
                    for i, reply in enumerate(replies_of_question)
                )
            )
            if progress:
                progress(sum(1 for _ in notebook.entries()), len(questions) * spec.n)
        return _finish(out, questions, notebook, inputs, spec, model, arm, time.perf_counter() - started)


def draw_group(
    generator: Generator, group: Sequence[Question], student: Student, spec: SampleSpec
) -> list[list[SampledReply]]:
    """Sample `spec.n` chains of each question of a group, seeded by the group's content."""
    return generator.draw(
        [render_prompt(generator.tokenizer, student, question_prompt(q.stem, q.options)) for q in group],
        spec.n,
        temperature=spec.temperature,
        top_p=spec.top_p,
        max_tokens=spec.max_tokens,
        seed=batch_seed(spec.seed, *(q.id for q in group)),
    )


def trace_of(question: Question, sample: int, reply: SampledReply, model: str, arm: str, spec: SampleSpec) -> Trace:
    """Return a sampled chain as a native trace."""
    return Trace(
        question_id=question.id,
        model=model,
        arm=arm,
        sample=sample,
        text=reply.text,
        answer=extract_answer(reply.text, question.options),
        completion_tokens=reply.tokens,
        finish_reason=reply.finish_reason,
        meta={"temperature": spec.temperature, "top_p": spec.top_p, "seed": spec.seed},
    )


async def sample_endpoint(
    questions: Sequence[Question],
    endpoint: Endpoint,
    gateway: Gateway,
    out: Path,
    *,
    arm: str,
    student: Student,
    spec: SampleSpec,
    back_end: BackEnd | None = None,
    stopping: asyncio.Event | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Sample from an OpenAI-compatible endpoint (for example vLLM with the adapter); return the manifest.

    The template's arguments of the recipe and the fields that switch the server's defaults off travel with every
    request, and stand in the manifest. Chains whose call failed are counted and stay open: the same command asks for
    them again. Fields that the endpoint's `params` name have those values.

    Args:
        questions: The questions; `spec.n` chains are sampled for each.
        endpoint: The endpoint.
        gateway: Sends the calls.
        out: The folder of the traces and of the progress.
        arm: The arm of the traces.
        student: The recipe's student: which arguments the chat template takes.
        spec: How chains are sampled.
        back_end: What serves the model; None: see `back_end_of`.
        stopping: Set it to stop cleanly: calls that have begun are finished, the rest is left for the resume.
        progress: Receives the number of chains.

    Raises:
        RecipeError: The folder was begun with other inputs.
    """
    fields = request_fields(student, back_end or back_end_of(endpoint), spec.top_p) | endpoint.params
    sampled_endpoint = endpoint.model_copy(update={"params": fields})
    inputs = _inputs(questions, spec, endpoint.model, arm) | {"base_url": endpoint.base_url, "request_fields": fields}
    finished_manifest = claim(out, inputs)
    if finished_manifest is not None:
        return finished_manifest
    started = time.perf_counter()
    failures: Counter[str] = Counter()
    with Notebook(out / "drawn.jsonl") as notebook:
        finished_samples = {(entry["question"], entry["sample"]) for entry in notebook.entries()}
        total = len(questions) * spec.n
        finished = len(finished_samples)

        async def draw(question: Question, sample: int) -> None:
            nonlocal finished
            request = ChatRequest(
                endpoint=sampled_endpoint,
                messages=(Message(role="user", parts=(question_prompt(question.stem, question.options),)),),
                purpose="sample",
                fence_key=question.id,
                max_tokens=spec.max_tokens,
                temperature=spec.temperature,
                sample=sample,
                seed=batch_seed(spec.seed, question.id, str(sample)),
            )
            try:
                reply = await gateway.chat(request)
            except CallFailed as failed:
                failures[failed.reason.value] += 1
                return
            call = reply.calls[0]
            chain = SampledReply(reply.text.strip(), call.completion_tokens, call.finish_reason or "stop")
            notebook.add({"question": question.id, "sample": sample, **chain._asdict()})
            finished += 1
            if progress:
                progress(finished, total)

        open_draws = ((q, s) for q in questions for s in range(spec.n) if (q.id, s) not in finished_samples)
        goes_on = (lambda _: True) if stopping is None else (lambda _: not stopping.is_set())
        await _at_most(sampled_endpoint.max_concurrency, (draw(q, s) for q, s in takewhile(goes_on, open_draws)))
        if finished < total:
            return {"status": "incomplete", "drawn": finished, "of": total, "failed": dict(failures)}
        facts = inputs | {"adaptations": gateway.adaptation_lines()}
        return _finish(out, questions, notebook, facts, spec, endpoint.model, arm, time.perf_counter() - started)


async def _at_most(limit: int, work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run the coroutines, at most `limit` at a time; each is created when there is room for it."""
    running: set[asyncio.Task[None]] = set()
    for coroutine in work:
        if len(running) >= limit:
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                task.result()
        running.add(asyncio.create_task(coroutine))
    await asyncio.gather(*running)


def _inputs(questions: Sequence[Question], spec: SampleSpec, model: str, arm: str) -> dict[str, Any]:
    return {
        "questions": [q.id for q in questions],
        "spec": spec.model_dump(),
        "model": model,
        "arm": arm,
        "prompt_version": VERSION,
    }


def _finish(
    out: Path,
    questions: Sequence[Question],
    notebook: Notebook,
    inputs: dict[str, Any],
    spec: SampleSpec,
    model: str,
    arm: str,
    seconds: float,
) -> dict[str, Any]:
    """Write the sampled chains as native traces, in the order of questions and samples, and the manifest."""
    entry_of: dict[tuple[str, int], dict[str, Any]] = {}
    for entry in notebook.entries():
        entry_of.setdefault((entry["question"], entry["sample"]), entry)
    traces = []
    for question in questions:
        for sample in range(spec.n):
            entry = entry_of[question.id, sample]
            reply = SampledReply(entry["text"], entry["tokens"], entry["finish_reason"])
            traces.append(trace_of(question, sample, reply, model, arm, spec))
    write_batch([*questions, *traces], out)
    gold = {q.id: q.gold for q in questions}
    manifest = {
        **inputs,
        "traces": len(traces),
        "unparsable_answers": sum(t.answer is None for t in traces),
        "cut_off": sum(t.finish_reason == "length" for t in traces),
        "correct": sum(t.answer is not None and t.answer == gold[t.question_id] for t in traces),
        "tokens": sum(t.completion_tokens or 0 for t in traces),
        "seconds": round(seconds, 1),
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
    }
    write_json(out / "manifest.json", manifest)
    return manifest
