"""The two arms of an audit: chains sampled from an endpoint, or read from a file, and the ones that the jury judges."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from tracejury.models import CallStore, Endpoint, Gateway, estimate_tokens, price_of
from tracejury.traces import SAMPLED_ANSWERS, Batch, Question, Trace, write_batch
from tracejury.training.back_ends import BackEnd
from tracejury.training.prompts import question_prompt
from tracejury.training.recipe import RecipeError, Student
from tracejury.training.sample_spec import SampleSpec
from tracejury.training.sampling import Progress, sample_endpoint


class SamplingCost(NamedTuple):
    """What sampling an arm costs at most: every chain as long as its limit."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float


async def sample_arm(
    questions: Sequence[Question],
    endpoint: Endpoint,
    folder: Path,
    *,
    arm: str,
    student: Student,
    spec: SampleSpec,
    store: str,
    back_end: BackEnd | None = None,
    air_gapped: bool = False,
    stopping: asyncio.Event | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Sample an arm as `sample_endpoint` does, through a gateway of its own whose calls are stored in `store`."""
    calls = CallStore(store)
    try:
        async with Gateway(calls, secret=b"sample", air_gapped=air_gapped) as gateway:
            return await sample_endpoint(
                questions,
                endpoint,
                gateway,
                folder,
                arm=arm,
                student=student,
                spec=spec,
                back_end=back_end,
                stopping=stopping,
                progress=progress,
            )
    finally:
        calls.close()


def sampling_cost(questions: Sequence[Question], endpoint: Endpoint, spec: SampleSpec) -> SamplingCost:
    """Return what sampling costs at most; nothing is called."""
    prompt = spec.n * sum(estimate_tokens(question_prompt(q.stem, q.options)) for q in questions)
    completion = spec.n * len(questions) * spec.max_tokens
    price = price_of(endpoint)
    usd = (prompt * price.prompt + completion * price.completion) / 1e6
    return SamplingCost(spec.n * len(questions), prompt, completion, usd)


def read_arm(batch: Batch, folder: Path, *, arm: str, question_ids: Collection[str]) -> Path:
    """Write the first chain of each of these questions as native traces of an arm; return the folder.

    Args:
        batch: The chains with their questions, in any format.
        folder: Where they are written; a folder that is complete stays as it is.
        arm: The arm of the traces, whatever the file says.
        question_ids: The questions that are audited.

    Raises:
        RecipeError: The batch has no chain for these questions.
    """
    if (folder / "traces.jsonl").is_file():
        return folder
    chains: dict[str, Trace] = {}
    for trace in batch.traces():
        if trace.question_id in question_ids:
            chains.setdefault(trace.question_id, trace)
    if not chains:
        raise RecipeError(f"{', '.join(batch.paths)}: no chain for any of the questions that are audited.")
    judged = [trace.model_copy(update={"arm": arm}) for trace in chains.values()]
    write_batch([*(q for q in batch.questions() if q.id in chains), *judged], folder)
    return folder


def audited_traces(folder: Path, sample: int = 0) -> Path:
    """Write the sample of each question that the jury judges, beside the samples; return its folder.

    Each trace has the answers of all samples of its question with it (`meta.sampled_answers`), so that the ledger
    knows self-consistency and calibration of the arm whose steps it holds.
    """
    chosen = folder / "audited"
    if not (chosen / "traces.jsonl").is_file():
        with Batch.open(folder, "native") as batch:
            answers: dict[str, Counter[str | None]] = {}
            for trace in batch.traces():
                answers.setdefault(trace.question_id, Counter())[trace.answer] += 1
            audited = (
                trace.model_copy(update={"meta": trace.meta | {SAMPLED_ANSWERS: _counted(answers[trace.question_id])}})
                for trace in batch.traces()
                if trace.sample == sample
            )
            write_batch([*batch.questions(), *audited], chosen)
    return chosen


def _counted(answers: Counter[str | None]) -> list[JsonValue]:
    """Return `[answer, count]` pairs, the commonest first; the answer of unparsable samples is None."""
    return [[answer, count] for answer, count in answers.most_common()]
