"""From a completion to the record of its call: tokens, cost, the stored text, and why the reply may be unusable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from tracejury.models.endpoint_client import Answer
from tracejury.models.letters import letter_logprobs
from tracejury.models.parsing import problem_of
from tracejury.models.pricing import cost_usd, price_of
from tracejury.models.records import CallRecord, ChatRequest, FailureReason
from tracejury.models.reply_text import is_unfinished_thinking
from tracejury.models.tool_calls import as_text
from tracejury.models.usage import read_usage

MAX_REPLY = 1_000_000
"""Characters. No requested reply is this long, and a longer one is neither parsed nor stored whole."""
_STORED_OF_TOO_LONG = 10_000


class Unusable(NamedTuple):
    """Why a reply is not parsed at all."""

    reason: FailureReason
    detail: str


def blank_record(call_id: str, key: str, purpose: str, request: ChatRequest) -> CallRecord:
    """Return the record of a call that is about to be sent."""
    return CallRecord(
        id=call_id,
        key=key,
        purpose=purpose,
        endpoint=request.endpoint.name,
        model=request.endpoint.model,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        latency_s=0.0,
        attempts=0,
    )


def filled_record(blank: CallRecord, request: ChatRequest, answer: Answer, prompt: str) -> CallRecord:
    """Return the record of a call with a reply.

    Args:
        blank: The record from before the call.
        request: The request.
        answer: The reply.
        prompt: The text of all messages, to estimate missing usage.
    """
    completion = answer.completion
    answered = completion.text
    if request.tools and any(call.name in tool_names(request) for call in completion.tool_calls):
        answered = as_text(completion.tool_calls)
    text = answered if len(answered) <= MAX_REPLY else answered[:_STORED_OF_TOO_LONG]
    usage = read_usage(completion.usage, prompt, text if completion.reasoning in text else text + completion.reasoning)
    tokens = (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
    return blank.model_copy(
        update={
            "latency_s": round(answer.latency_s, 4),
            "attempts": answer.attempts,
            "raw": text,
            "finish_reason": completion.finish_reason,
            "prompt_tokens": tokens[0],
            "cached_tokens": tokens[1],
            "completion_tokens": tokens[2],
            "cost_usd": cost_usd(price_of(request.endpoint), *tokens),
            "error": f"the model declines: {completion.refusal}" if completion.refusal else completion.problem,
            "letter_logprobs": letter_logprobs(completion.logprobs, request.letters),
            "usage_estimated": usage.is_estimated,
        }
    )


def tool_names(request: ChatRequest) -> frozenset[str]:
    """Return the names of the tools that a request offers."""
    return frozenset(tool["function"]["name"] for tool in request.tools)


def unusable(answer: Answer, call: CallRecord, least_tokens: int) -> Unusable | None:
    """Return why a reply is neither parsed nor repaired, or None.

    Args:
        answer: The reply.
        call: Its record.
        least_tokens: The least number of tokens of the prompt, 0 if no window is known.
    """
    completion = answer.completion
    if len(completion.text) > MAX_REPLY:
        stored = f"of which the first {_STORED_OF_TOO_LONG} are stored"
        return Unusable(FailureReason.UNUSABLE, f"the reply has {len(completion.text)} characters, {stored}")
    if completion.is_filtered:
        return Unusable(FailureReason.FILTERED, "the provider's content filter withheld the reply")
    if completion.refusal and not completion.text:
        advice = "name another model for the endpoint, or leave the step out"
        return Unusable(FailureReason.REFUSED, f"{call.error}; {advice}")
    if not call.usage_estimated and call.prompt_tokens < 0.9 * least_tokens:
        detail = f"the server counted {call.prompt_tokens} tokens in a prompt of at least {least_tokens} words"
        return Unusable(FailureReason.CONTEXT, f"{detail}: it cut the prompt without saying so")
    return None


def is_spent_on_thinking(call: CallRecord) -> bool:
    """Whether the limit of the reply's tokens was used up before the answer began."""
    return call.finish_reason == "length" and (not call.raw or is_unfinished_thinking(call.raw))


def problem_in(call: CallRecord, error: ValidationError) -> str:
    """Return the problem with a reply, for its repair and for people."""
    problem = call.error or problem_of(error)
    if call.finish_reason == "length":
        problem = f"cut off at {call.completion_tokens} tokens, be shorter: {problem}"
    return problem


def hinted(call: CallRecord, problem: str) -> str:
    """Return the problem, with a way out where the model's thinking takes all the room."""
    if not is_spent_on_thinking(call):
        return problem
    return (
        f"the model was still thinking after {call.completion_tokens} tokens: turn its thinking off or down in the "
        "endpoint's `params`, or raise `reply_tokens` in the panel"
    )
