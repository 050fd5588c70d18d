"""What an endpoint refuses in a request is learnt from its error: the call succeeds, and the next ones cost nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tracejury.models import CallFailed, CallStore, FailureReason, Gateway

REFUSALS = [
    (["json_schema"], "reply_format json_object instead of json_schema"),
    (["json_schema, tersely"], "reply_format json_object instead of json_schema"),
    (["response_format"], "reply_format text instead of json_schema"),
    (["guided decoding"], "reply_format json_object instead of json_schema"),
    (["max_tokens"], "the reply's limit is called max_completion_tokens"),
    (["max_tokens", "max_completion_tokens"], "without max_completion_tokens"),
    (["long replies"], "replies of at most 100 tokens"),
    (["temperature"], "without temperature"),
    (["seed"], "without seed"),
    (["system role"], "the system message inside the first user message"),
    (["user after user"], "the system message inside the first user message"),
    (["max_tokens", "temperature", "json_schema", "seed"], "without temperature, seed"),
]


async def ask(gateway: Gateway, asking: Any, texts: list[str], **fields: Any) -> list[Any]:
    requests = [asking.about(text, **{"seed": 7} | fields) for text in texts]
    return await asyncio.gather(*(gateway.chat(request) for request in requests), return_exceptions=True)


@pytest.mark.parametrize(("refuses", "line"), REFUSALS, ids=[" and ".join(r) for r, _ in REFUSALS])
def test_a_refused_part_is_left_out_from_then_on(asking: Any, refuses: list[str], line: str) -> None:
    # Servers without schema replies are told the schema in words; this one then replies with what it was told.
    asking.server.set(refuses=refuses, reply={"text": '{"finding": "ok", "label": "supported"}'})

    async def main() -> tuple[list[Any], list[Any], tuple[str, ...]]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            first = await ask(gateway, asking, ["one"])
            refused = (await asyncio.to_thread(asking.server.counts))["modes"]["refused"]
            assert refused == first[0].calls[0].attempts - 1
            more = await ask(gateway, asking, [f"step {i}" for i in range(10)])
            assert (await asyncio.to_thread(asking.server.counts))["modes"]["refused"] == refused
            return first, more, gateway.adaptation_lines()["local"]

    first, more, lines = asyncio.run(main())
    assert {reply.parsed.label for reply in [*first, *more]} == {"supported"}
    assert line in lines


def test_calls_that_begin_together_learn_together(asking: Any) -> None:
    asking.server.set(refuses=["temperature", "max_tokens"], latency_s=0.05)

    async def main() -> list[Any]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            return await ask(gateway, asking, [f"step {i}" for i in range(20)])

    assert {reply.parsed.label for reply in asyncio.run(main())} == {"supported"}
    assert asking.server.counts()["modes"]["refused"] <= 4


def test_a_refusal_that_names_nothing_stays_a_refusal(asking: Any) -> None:
    asking.server.set(mode="400")

    async def main() -> list[Any]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            return await ask(gateway, asking, ["x"])

    (failed,) = asyncio.run(main())
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.REFUSED
    assert asking.server.counts()["calls"] == 1


@pytest.mark.parametrize("mode", ["401", "404"])
def test_a_wrong_key_or_model_costs_a_few_calls(asking: Any, mode: str) -> None:
    asking.server.set(mode=mode, latency_s=0.02)

    async def main() -> tuple[list[Any], str]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            failed = await ask(gateway, asking, [f"step {i}" for i in range(200)])
            return failed, str(gateway.hopeless[0])

    failed, reason = asyncio.run(main())
    assert {f.reason for f in failed} == {FailureReason.REFUSED}
    assert asking.server.counts()["calls"] <= 5
    assert "endpoints: local:" in reason


def test_thinking_that_takes_all_the_room_gets_more_room(asking: Any) -> None:
    asking.server.set(thinks_tokens=2000)

    async def main() -> list[Any]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            first = await ask(gateway, asking, ["one"])
            return first + await ask(gateway, asking, ["two", "three"])

    first, *more = asyncio.run(main())
    assert [call.finish_reason for call in first.calls] == ["length", "stop"]
    assert first.parsed.label == "supported"
    assert [len(reply.calls) for reply in more] == [1, 1]


def test_thinking_without_an_end_is_told_with_a_way_out(asking: Any) -> None:
    asking.server.set(thinks_tokens=10**9)

    async def main() -> list[Any]:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            return await ask(gateway, asking, ["one"])

    (failed,) = asyncio.run(main())
    assert failed.reason is FailureReason.CUT_OFF
    assert "`reply_tokens`" in failed.detail
    assert asking.server.counts()["calls"] == 2
