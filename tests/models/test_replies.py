"""The border for replies: every shape becomes a reply or a typed failure that is recorded; none is asked for twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from servers import shapes

from tracejury.agents import judge_reply
from tracejury.models import Budget, CallFailed, CallStore, ChatReply, FailureReason, Gateway, parse_reply

KEY = "sk-planted-0123456789abcdefghijkl"


def chat(request: Any, store: CallStore | None = None, **fields: Any) -> ChatReply | CallFailed:
    async def main() -> ChatReply | CallFailed:
        async with Gateway(store or CallStore("sqlite://"), secret=b"s", **fields) as gateway:
            try:
                return await gateway.chat(request)
            except CallFailed as failed:
                return failed

    return asyncio.run(main())


@pytest.mark.parametrize(
    "shape", [*shapes.READABLE, *shapes.COMPLETIONS, "other encoding", "usage of thousands of digits"]
)
def test_a_reply_in_an_odd_shape_is_read_and_paid_once(asking: Any, shape: str) -> None:
    asking.server.set(mode=f"shape:{shape}")
    reply = chat(asking.about("x"))
    assert isinstance(reply, ChatReply), reply
    assert reply.parsed.label == "supported"
    assert asking.server.counts()["calls"] == 1
    (call,) = reply.calls
    assert 0 < call.prompt_tokens < 10_000
    assert 0 < call.completion_tokens < 10_000
    assert call.usage_estimated == (shape.startswith("usage") and "text" not in shape and "fract" not in shape
                                    and "details" not in shape and "rest" not in shape)  # fmt: skip


@pytest.mark.parametrize("shape", shapes.UNREADABLE)
def test_what_cannot_be_read_is_repaired_once(asking: Any, shape: str) -> None:
    asking.server.set(script=[f"shape:{shape}", "ok"])
    reply = chat(asking.about("x"))
    assert isinstance(reply, ChatReply), reply
    assert [call.purpose for call in reply.calls] == ["judge:facts", "repair:judge:facts"]


@pytest.mark.parametrize("shape", shapes.BODIES)
def test_a_body_that_is_no_completion_is_retried_and_then_a_recorded_failure(asking: Any, shape: str) -> None:
    asking.server.set(script=[f"shape:{shape}", "ok"])
    assert isinstance(chat(asking.about("x")), ChatReply)
    asking.server.set(mode=f"shape:{shape}")
    store = CallStore("sqlite://")
    failed = chat(asking.about("y"), store)
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.UNAVAILABLE
    assert [call.error for call in store.calls()] == [failed.detail]


@pytest.mark.parametrize("shape", ["key in an error", "key as a finish reason"])
def test_no_key_is_written_down(asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    monkeypatch.setenv("PLANTED_KEY", KEY)
    asking.server.set(mode=f"shape:{shape}")
    asking.endpoint = asking.endpoint.model_copy(update={"api_key_env": "PLANTED_KEY"})
    store = CallStore(f"sqlite:///{tmp_path}/calls.db")
    outcome = chat(asking.about("x"), store)
    store.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (repr(outcome), str(getattr(outcome, "calls", "")), files.decode("utf-8", "replace")):
        assert KEY not in text


@pytest.mark.parametrize(("mode", "reason"), [("refusal", FailureReason.REFUSED), ("filtered", FailureReason.FILTERED)])
def test_a_declined_reply_is_neither_repaired_nor_retried(asking: Any, mode: str, reason: FailureReason) -> None:
    asking.server.set(mode=mode)
    failed = chat(asking.about("x"))
    assert isinstance(failed, CallFailed)
    assert failed.reason is reason
    assert asking.server.counts()["calls"] == 1


class Graded(BaseModel):
    """A reply with a whole percentage and a choice that may be none."""

    label: Literal["supported", "error"]
    error_type: Literal["none", "factual"]
    confidence: int = Field(ge=0, le=100)
    findings: list[str]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("confidence", "80%", 80),
        ("confidence", "80", 80),
        ("confidence", 0.8, 80),
        ("confidence", 82.5, 82),
        ("confidence", 80.0, 80),
        ("label", "Supported", "supported"),
        ("label", " SUPPORTED.", "supported"),
        ("error_type", None, "none"),
        ("error_type", "None", "none"),
        ("findings", "one", ["one"]),
        ("findings", None, []),
        ("findings", [1], ["1"]),
    ],
)
def test_values_with_one_meaning_are_read(asking: Any, field: str, value: Any, expected: Any) -> None:
    good = {"label": "supported", "error_type": "none", "confidence": 80, "findings": ["x"]}
    asking.server.set(reply={"text": json.dumps(good | {field: value})})
    asking.endpoint = asking.endpoint.model_copy(update={"reply_format": "text"})
    reply = chat(asking.about("x", schema=Graded))
    assert isinstance(reply, ChatReply), reply
    assert getattr(reply.parsed, field) == expected
    assert len(reply.calls) == 1


def test_a_wrapped_reply_without_its_error_type_is_read(asking: Any) -> None:
    good = {"label": "supported", "confidence": 80, "findings": ["x"]}
    asking.server.set(reply={"text": json.dumps({"response": good})})
    asking.endpoint = asking.endpoint.model_copy(update={"reply_format": "text"})
    reply = chat(asking.about("x", schema=Graded))
    assert isinstance(reply, ChatReply), reply
    assert reply.parsed.error_type == "none"


@pytest.mark.parametrize(("field", "value"), [("label", "maybe"), ("confidence", "high"), ("confidence", 101)])
def test_values_without_a_clear_meaning_are_not_guessed(asking: Any, field: str, value: Any) -> None:
    good = {"label": "supported", "error_type": "none", "confidence": 80, "findings": ["x"]}
    asking.server.set(reply={"text": json.dumps(good | {field: value})})
    asking.endpoint = asking.endpoint.model_copy(update={"reply_format": "text"})
    failed = chat(asking.about("x", schema=Graded))
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.UNUSABLE


def test_a_cap_on_tokens_holds_where_the_server_reports_none(asking: Any) -> None:
    asking.server.set(mode="shape:usage null")
    budget = Budget(max_tokens=1)
    store = CallStore("sqlite://")
    assert isinstance(chat(asking.about("x"), store, budget=budget), ChatReply)
    failed = chat(asking.about("y"), store, budget=budget)
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.BUDGET


FINDING = {"claim": "C1", "evidence": "vignette", "quote": "a cough", "relation": "supports"}
UNEXPLAINED = {"findings": [FINDING], "label": "supported", "error_type": "none", "confidence": 80}
JUDGED = UNEXPLAINED | {"rationale": "r"}


@pytest.mark.parametrize(
    ("reply", "findings", "rationale"),
    [
        (JUDGED | {"findings": ["It is acute."]}, 0, "r"),
        (UNEXPLAINED | {"findings": ["It is acute.", FINDING]}, 1, "It is acute."),
        (UNEXPLAINED, 1, ""),
        (JUDGED | {"rationale": ["One.", "Two."]}, 1, "One. Two."),
        (JUDGED | {"error_type": "n/a", "confidence": 1.0}, 1, "r"),
    ],
)
def test_a_label_is_not_lost_for_what_stands_beside_it(
    asking: Any, reply: dict[str, Any], findings: int, rationale: str
) -> None:
    asking.server.set(reply={"text": json.dumps(reply)})
    asking.endpoint = asking.endpoint.model_copy(update={"reply_format": "text"})
    answer = chat(asking.about("x", schema=judge_reply(512)))
    assert isinstance(answer, ChatReply), answer
    assert (len(answer.parsed.findings), answer.parsed.rationale) == (findings, rationale)
    assert answer.parsed.confidence == (100 if reply["confidence"] == 1.0 else 80)
    assert len(answer.calls) == 1


@pytest.mark.parametrize("findings", [[{"evidence": "vignette", "quote": "a cough"}, FINDING], None])
def test_an_incomplete_finding_is_asked_for_once_more_and_then_left_out(asking: Any, findings: Any) -> None:
    reply = {k: v for k, v in (JUDGED | {"findings": findings}).items() if v is not None}
    asking.server.set(reply={"text": json.dumps(reply)})
    asking.endpoint = asking.endpoint.model_copy(update={"reply_format": "text"})
    answer = chat(asking.about("x", schema=judge_reply(512)))
    assert isinstance(answer, ChatReply), answer
    assert len(answer.calls) == 2
    assert len(answer.parsed.findings) == (1 if findings else 0)


def test_a_server_that_counts_only_what_its_cache_lacks_has_cut_nothing(asking: Any) -> None:
    asking.server.set(mode="shape:usage of the rest")
    asking.endpoint = asking.endpoint.model_copy(update={"context_window": 8192})
    answer = chat(asking.about("word " * 1000))
    assert isinstance(answer, ChatReply), answer
    assert answer.calls[0].usage_estimated
    assert answer.calls[0].prompt_tokens > 900


class _Labelled(BaseModel):
    label: Literal["supported", "error"]


@pytest.mark.parametrize("frame", ["%s", "Here it is: %s", "```json\n%s\n```"])
def test_two_labels_that_differ_in_one_object_are_none(frame: str) -> None:
    with pytest.raises(ValidationError, match="label"):
        parse_reply(frame % '{"label": "supported", "label": "error"}', _Labelled)
    # Said twice alike, or in a draft and in the final answer, a label is one.
    assert parse_reply(frame % '{"label": "error", "label": "error"}', _Labelled).label == "error"
    assert parse_reply(frame % '{"label": "supported"} no: {"label": "error"}', _Labelled).label == "error"


def test_a_callback_is_told_of_the_calls_of_its_run(asking: Any) -> None:
    from langchain_core.callbacks import AsyncCallbackHandler
    from langchain_core.runnables import RunnableLambda

    prompts: list[str] = []

    class Listener(AsyncCallbackHandler):
        async def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
            prompts.append(messages[0][-1].content)

    async def main() -> None:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:

            async def ask(text: str) -> str:
                return (await gateway.chat(asking.about(text))).text

            await ask("nobody listens")
            await RunnableLambda(ask).ainvoke("somebody does", config={"callbacks": [Listener()]})

    asyncio.run(main())
    assert [("nobody" in prompt, "somebody" in prompt) for prompt in prompts] == [(False, True)]
