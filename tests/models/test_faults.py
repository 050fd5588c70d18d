"""Every fault of an endpoint ends in the right reason, after as many attempts as configured."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tracejury.models import CallFailed, CallStore, ChatReply, Endpoint, FailureReason, Gateway

UNUSABLE, UNAVAILABLE, REFUSED = FailureReason.UNUSABLE, FailureReason.UNAVAILABLE, FailureReason.REFUSED

# Fault -> reason, requests sent for it at three attempts a call.
ENDINGS = [
    ("401", REFUSED, 1),
    ("404", REFUSED, 1),
    ("400", REFUSED, 1),
    ("context", FailureReason.CONTEXT, 1),
    ("429", UNAVAILABLE, 3),
    ("429-after", UNAVAILABLE, 3),
    ("500", UNAVAILABLE, 3),
    ("503", UNAVAILABLE, 3),
    ("hang", UNAVAILABLE, 3),
    ("reset", UNAVAILABLE, 3),
    ("cut", UNAVAILABLE, 3),
    ("garbled", UNAVAILABLE, 3),
    ("prose", UNUSABLE, 2),
    ("label", UNUSABLE, 2),
    ("empty", UNUSABLE, 2),
    ("no-choices", UNUSABLE, 2),
    ("refusal", REFUSED, 1),
    ("length", FailureReason.CUT_OFF, 2),
    ("big", UNUSABLE, 1),
]


async def ask(store: CallStore, request: Any, **fields: Any) -> ChatReply:
    async with Gateway(store, secret=b"s", **fields) as gateway:
        return await gateway.chat(request)


@pytest.fixture
def store() -> Any:
    store = CallStore("sqlite://")
    yield store
    store.close()


@pytest.mark.parametrize(("fault", "reason", "requests"), ENDINGS)
def test_a_fault_that_stays_fails_with_its_reason(
    asking: Any, store: CallStore, fault: str, reason: FailureReason, requests: int
) -> None:
    asking.server.set(mode=fault, retry_after_s=0.05)
    asking.endpoint = asking.endpoint.model_copy(update={"timeout_s": 1.0 if fault == "hang" else 5.0})
    with pytest.raises(CallFailed) as failed:
        asyncio.run(ask(store, asking.about("x")))
    assert failed.value.reason is reason
    assert asking.server.counts()["calls"] == sum(c.attempts for c in failed.value.calls) == requests
    # What was sent is in the records, raw replies included, and none of it is served from the cache later.
    recorded = store.calls()
    assert [c.id for c in recorded] == [c.id for c in failed.value.calls]
    has_reply = fault in ("prose", "label", "empty", "no-choices", "refusal", "length", "big")
    assert all((c.raw is not None) == has_reply for c in recorded)
    asking.server.set(mode="ok")
    healed = asyncio.run(ask(store, asking.about("x")))
    assert healed.parsed.label == "supported"
    assert not any(c.from_cache for c in healed.calls)


@pytest.mark.parametrize("fault", ["429", "429-after", "500", "503", "hang", "reset", "cut", "garbled"])
def test_a_fault_that_passes_costs_one_more_attempt(asking: Any, store: CallStore, fault: str) -> None:
    asking.server.set(script=[fault, "ok"])
    reply = asyncio.run(ask(store, asking.about("x")))
    assert reply.parsed.label == "supported"
    assert [c.attempts for c in reply.calls] == [2]


@pytest.mark.parametrize("fault", ["prose", "label", "empty", "no-choices", "length"])
def test_an_unusable_reply_is_repaired_once_with_the_error(asking: Any, store: CallStore, fault: str) -> None:
    asking.server.set(script=[fault, "ok"])
    reply = asyncio.run(ask(store, asking.about("x")))
    assert [c.purpose for c in reply.calls] == ["judge:facts", "repair:judge:facts"]
    assert reply.parsed.label == "supported"
    # The same again is served from the cache, first reply and repair, and nobody is asked.
    again = asyncio.run(ask(store, asking.about("x")))
    assert again.parsed == reply.parsed
    assert [c.from_cache for c in again.calls] == [True, True]
    assert asking.server.counts()["calls"] == 2


def test_retry_after_is_waited_for_by_everybody(asking: Any, store: CallStore) -> None:
    asking.server.set(script=["429-after"], retry_after_s=2.5)

    async def both() -> float:
        async with Gateway(store, secret=b"s") as gateway:
            first = asyncio.create_task(gateway.chat(asking.about("a")))
            while not (await asyncio.to_thread(asking.server.counts))["modes"].get("429-after"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)  # for the reply to arrive
            started = time.monotonic()
            await gateway.chat(asking.about("b"))
            waited = time.monotonic() - started
            await first
            return waited

    assert 1.0 < asyncio.run(both()) < 30


def test_the_deadline_ends_retries_before_the_attempts_do(asking: Any, store: CallStore) -> None:
    asking.server.set(mode="429-after", retry_after_s=60)
    asking.endpoint = asking.endpoint.model_copy(update={"deadline_s": 30.0, "max_attempts": 6})
    started = time.monotonic()
    with pytest.raises(CallFailed) as failed:
        asyncio.run(ask(store, asking.about("x")))
    assert failed.value.reason is UNAVAILABLE
    assert time.monotonic() - started < 20
    assert asking.server.counts()["calls"] == 1


def test_nobody_at_the_address_is_unavailable(asking: Any, store: CallStore) -> None:
    asking.endpoint = asking.endpoint.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(CallFailed, match="after 3 attempts") as failed:
        asyncio.run(ask(store, asking.about("x")))
    assert failed.value.reason is UNAVAILABLE


def test_a_hundred_calls_over_every_fault_each_end_in_one_way(asking: Any, store: CallStore) -> None:
    """Faults that stay become failures, faults that pass become replies, and a resume only asks what failed."""
    stays = [f for f, _, _ in ENDINGS if f not in ("hang", "big")]
    match: dict[str, Any] = {f"<stays {f}>": f for f in stays}
    match |= {f"<passes {f}>": [f, "ok"] for f in ("429", "500", "reset", "cut")}
    asking.server.set(match=match, retry_after_s=0.02)
    marks = [*match, "fine"]
    texts = [f"{marks[i % len(marks)]} {i}" for i in range(100)]
    asking.endpoint = asking.endpoint.model_copy(update={"timeout_s": 20.0, "deadline_s": 60.0})

    async def every() -> list[ChatReply | BaseException]:
        async with Gateway(store, secret=b"s") as gateway:
            return await asyncio.gather(*(gateway.chat(asking.about(t)) for t in texts), return_exceptions=True)

    ended = asyncio.run(every())
    reasons = {f"<stays {f}>": reason for f, reason, _ in ENDINGS}
    for text, end in zip(texts, ended, strict=True):
        expected = next((r for mark, r in reasons.items() if mark in text), None)
        if expected is None:
            assert isinstance(end, ChatReply), (text, end)
        else:
            assert isinstance(end, CallFailed), (text, end)
            assert end.reason is expected, (text, end)
    asking.server.reset()
    healed = asyncio.run(every())
    assert all(isinstance(end, ChatReply) for end in healed)
    assert asking.server.counts()["calls"] == sum(isinstance(end, CallFailed) for end in ended)


def test_an_unknown_key_and_an_unknown_model_file_are_told(
    asking: Any, store: CallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    asking.endpoint = asking.endpoint.model_copy(update={"api_key_env": "NO_SUCH_KEY"})
    with pytest.raises(CallFailed, match="export NO_SUCH_KEY="):
        asyncio.run(ask(store, asking.about("x")))
    asking.endpoint = Endpoint(name="e", kind="embedded", model="/nowhere/model.gguf")
    with pytest.raises(CallFailed, match=r"/nowhere/model\.gguf") as failed:
        asyncio.run(ask(store, asking.about("x")))
    assert failed.value.reason is REFUSED
