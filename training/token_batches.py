"""Sampling in batches of a token budget: what a batch keeps in the cache is bounded, and halved where memory runs out.

A chain takes its prompt's tokens and its token limit of the cache. 64 chains of 8 questions with 2,048 tokens each
would take 162 GiB on an 8B model, so a batch is cut from the chains in their order, whatever their questions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tracejury.traces import Question
from tracejury.training.chat import render_prompt
from tracejury.training.generating import Generator, SampledReply, batch_seed
from tracejury.training.prompts import question_prompt
from tracejury.training.recipe import RecipeError, Student
from tracejury.training.sample_spec import SampleSpec

log = logging.getLogger("tracejury.training")

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate memory")
"""What torch's errors say where memory runs out, on a GPU and on a CPU; the CPU's have no type of their own."""


class Draw(NamedTuple):
    """A chain that is to be sampled."""

    question: Question
    sample: int


class SampledBatch(NamedTuple):
    """The replies to some draws, in their order, and the budget of the batch."""

    draws: Sequence[Draw]
    replies: Sequence[SampledReply]
    cache_tokens: int


def sample_batches(
    generator: Generator, draws: Sequence[Draw], student: Student, spec: SampleSpec, cache_tokens: int
) -> Iterator[SampledBatch]:
    """Sample the draws in batches of at most `cache_tokens`; yield each batch when it is complete.

    Where memory runs out, the budget is halved for this batch and the rest. A batch is seeded by its own draws, so that
    the same draws in the same batches give the same chains.

    Args:
        generator: The student.
        draws: The chains to sample, in order; those of a question should follow one another.
        student: How prompts are rendered.
        spec: How chains are sampled.
        cache_tokens: The budget of the first batch.

    Raises:
        RecipeError: A single chain does not fit into memory.
    """
    prompt_of = {
        question.id: render_prompt(generator.tokenizer, student, question_prompt(question.stem, question.options))
        for question in {draw.question.id: draw.question for draw in draws}.values()
    }
    chain_tokens = {
        question_id: len(generator.tokenizer(prompt, add_special_tokens=False).input_ids) + spec.max_tokens
        for question_id, prompt in prompt_of.items()
    }
    rest = list(draws)
    while rest:
        batch = rest[: _fitting(rest, chain_tokens, cache_tokens)]
        try:
            replies = [
                replies_of_prompt[0]
                for replies_of_prompt in generator.draw(
                    [prompt_of[draw.question.id] for draw in batch],
                    1,
                    temperature=spec.temperature,
                    top_p=spec.top_p,
                    max_tokens=spec.max_tokens,
                    seed=batch_seed(spec.seed, *(part for d in batch for part in (d.question.id, str(d.sample)))),
                )
            ]
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            longest = max(chain_tokens[draw.question.id] for draw in batch)
            if len(batch) == 1:
                raise RecipeError(
                    f"a single chain of {longest:,} tokens does not fit into memory beside the model. Lower "
                    "max_tokens, free memory, or serve the student (`tracejury student serve`) and sample from it."
                ) from error
            # Half of what this batch took: halving a budget far above it would repeat the same batch.
            cache_tokens = max(longest, min(cache_tokens, len(batch) * longest) // 2)
            log.warning("memory ran out at %d chains; batches of %d tokens from here on", len(batch), cache_tokens)
            generator.free_cache()
            continue
        yield SampledBatch(batch, replies, cache_tokens)
        rest = rest[len(batch) :]


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch, or of Python, means that memory ran out."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in OUT_OF_MEMORY)


def _fitting(draws: Sequence[Draw], chain_tokens: dict[str, int], cache_tokens: int) -> int:
    """Return how many of the first draws fit; at least one. Prompts are padded to the longest of the batch."""
    longest = 0
    for count, draw in enumerate(draws, 1):
        longest = max(longest, chain_tokens[draw.question.id])
        if count > 1 and count * longest > cache_tokens:
            return count - 1
    return len(draws)
