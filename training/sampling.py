"""Sample chains from a student: n a question, from an endpoint or in this process, resumable, as native traces.

The prompt is sent unfenced, in the words that the student was trained on; every later stage treats the reply as data.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from tracejury.models import CallFailed, ChatRequest, Endpoint, Gateway, Message
from tracejury.traces import Question, Trace, extract_answer, write_batch
from tracejury.training.back_ends import BackEnd, back_end_of, request_fields
from tracejury.training.failures import CallFailures
from tracejury.training.generating import Generator, SampledReply, batch_seed
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.notebook import Notebook, claim
from tracejury.training.prompts import VERSION, question_prompt
from tracejury.training.recipe import Student
from tracejury.training.rows import write_json
from tracejury.training.sample_spec import SampleSpec
from tracejury.training.token_batches import Draw, sample_batches
from tracejury.training.weights import identity_of, require_weights

NOTEBOOK = "drawn.progress"
"""The chains so far. Its name is no data file's: readers of the folder take the traces, not the progress."""
Progress = Callable[[int, int], None]
"""Receives (number of chains sampled, number of chains in all)."""


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

    Batches follow the order of the questions, are bounded by `spec.cache_tokens` and seeded by their content, so that a
    run that was killed gives the same traces as an uninterrupted one. The manifest has the budget of the last batch,
    which is lower than the spec's where memory ran out.

    Raises:
        RecipeError: The folder was begun with other inputs, there are no such weights, or memory holds not one chain.
    """
    require_weights(weights)
    inputs = _inputs(questions, spec, model, arm) | {"weights": identity_of(weights), "think": student.think}
    finished_manifest = claim(out, inputs)
    if finished_manifest is not None:
        return finished_manifest
    started = time.perf_counter()
    with Notebook(out / NOTEBOOK) as notebook:
        batches = list(notebook.entries())
        finished = {(chain["question"], chain["sample"]) for batch in batches for chain in batch["chains"]}
        draws = [Draw(q, i) for q in questions for i in range(spec.n) if (q.id, i) not in finished]
        cache_tokens = batches[-1]["cache_tokens"] if batches else spec.cache_tokens
        if draws:
            if progress:
                progress(len(finished), len(questions) * spec.n)
            generator = Generator(weights, base=base, backend="unsloth" if backend == "unsloth" else "trl")
            for batch in sample_batches(generator, draws, student, spec, cache_tokens):
                cache_tokens = batch.cache_tokens
                chains = [
                    {"question": draw.question.id, "sample": draw.sample, **reply._asdict()}
                    for draw, reply in zip(batch.draws, batch.replies, strict=True)
                ]
                # One line a batch: a kill leaves all of it or nothing, so that the next batch begins where it should.
                notebook.add({"cache_tokens": cache_tokens, "chains": chains})
                finished.update((chain["question"], chain["sample"]) for chain in chains)
                if progress:
                    progress(len(finished), len(questions) * spec.n)
        chains_of_batches = (chain for batch in notebook.entries() for chain in batch["chains"])
        seconds = time.perf_counter() - started
        facts = inputs | {"cache_tokens": cache_tokens}
        return _finish(out, questions, chains_of_batches, facts, spec, model, arm, seconds)


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
    failures = CallFailures()
    with Notebook(out / NOTEBOOK) as notebook:
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
                failures.add(failed)
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
            return {
                "status": "incomplete",
                "drawn": finished,
                "of": total,
                "failed_calls": dict(failures.counts),
                "failure_examples": failures.examples,
            }
        facts = inputs | {"adaptations": gateway.adaptation_lines()}
        seconds = time.perf_counter() - started
        return _finish(out, questions, notebook.entries(), facts, spec, endpoint.model, arm, seconds)


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
    chains: Iterable[dict[str, Any]],
    inputs: dict[str, Any],
    spec: SampleSpec,
    model: str,
    arm: str,
    seconds: float,
) -> dict[str, Any]:
    """Write the sampled chains as native traces, in the order of questions and samples, and the manifest."""
    entry_of: dict[tuple[str, int], dict[str, Any]] = {}
    for entry in chains:
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
