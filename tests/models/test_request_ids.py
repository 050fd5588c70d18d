"""Replies to other requests are noticed where the server repeats the names of requests, and asked for again."""

from __future__ import annotations

import asyncio
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest

from tracejury.models import CallFailed, CallStore, ChatReply, FailureReason, Gateway
from tracejury.models.request_ids import answers_another_prompt, new_request_id


def chat(tmp_path: Path, *requests: Any) -> list[ChatReply | BaseException]:
    """Send requests one after the other."""

    async def main() -> list[ChatReply | BaseException]:
        async with Gateway(CallStore(f"sqlite:///{tmp_path}/calls.db"), secret=b"s") as gateway:
            return [(await asyncio.gather(gateway.chat(request), return_exceptions=True))[0] for request in requests]

    return asyncio.run(main())


@pytest.fixture
def telling(asking: Any) -> Any:
    """A server that says which step it answers."""
    said = {name: {"finding": name, "label": "supported"} for name in ("first", "second", "third")}
    asking.endpoint = asking.endpoint.model_copy(update={"timeout_s": 20.0})
    asking.server.set(reply={"label": "supported"}, reply_for=said, repeats_ids=True)
    return asking


def test_a_reply_to_another_request_is_asked_for_again(
    telling: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    telling.server.set(script=["ok", "swapped", "ok", "ok"])
    with caplog.at_level(logging.WARNING):
        replies = chat(tmp_path, *(telling.about(name) for name in ("first", "second", "third")))
    assert [reply.parsed.finding for reply in replies] == ["first", "second", "third"]
    assert [reply.calls[0].attempts for reply in replies] == [1, 2, 1]
    assert caplog.text.count("answered a request with the reply to another one") == 1


def test_a_server_that_always_mixes_up_fails_with_its_own_reason(telling: Any, tmp_path: Path) -> None:
    telling.server.set(script=["ok", "swapped"], mode="503")
    _, failed = chat(tmp_path, telling.about("first"), telling.about("second"))
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.UNAVAILABLE, "the last attempt decides"
    telling.server.reset(repeats_ids=True, reply={"finding": "x", "label": "supported"}, script=["ok", "swapped"])
    once = telling.endpoint.model_copy(update={"max_attempts": 1})
    telling.endpoint = once
    _, failed = chat(tmp_path, telling.about("fourth"), telling.about("fifth"))
    assert isinstance(failed, CallFailed)
    assert failed.reason is FailureReason.OTHER_REQUEST
    assert failed.calls[0].raw is None


def test_a_server_with_ids_of_its_own_loses_no_reply(telling: Any, tmp_path: Path) -> None:
    telling.server.set(repeats_ids=False, script=["ok", "swapped"])
    replies = chat(tmp_path, telling.about("first"), telling.about("second"))
    assert [reply.parsed.finding for reply in replies] == ["first", "first"], "unknown, and so not noticed"
    assert [reply.calls[0].attempts for reply in replies] == [1, 1]


def test_names_are_uuids_and_kept_replies_to_the_same_prompt_are_right() -> None:
    name, again = new_request_id("Is this right?"), new_request_id("Is this right?")
    assert str(uuid.UUID(name)) == name != again
    assert not answers_another_prompt(f"chatcmpl-{name}", "Is this right?")
    assert answers_another_prompt(f"chatcmpl-{name.upper()}-0", "Is that right?")
    for unknown in (None, "", 7, "chatcmpl-1", f"chatcmpl-{uuid.uuid4()}"):
        assert not answers_another_prompt(unknown, "Is that right?")
