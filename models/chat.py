"""The chat model: langchain-openai's, without the parts of the OpenAI client that cost more than the call itself."""

from __future__ import annotations

import json
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

# Words of servers for a prompt that is too long; their status says no more than 400.
_TOO_LONG = ("context_length_exceeded", "tokens exceed the configured limit", "ContextWindowExceededError")


class DirectChat(ChatOpenAI):
    """`ChatOpenAI` whose request goes through the client's plain `post`.

    `chat.completions.create` walks through every field of the request to rename what its types rename, builds typed
    objects of the reply, and langchain-openai turns them back into a dictionary in a thread: about a third of the CPU
    time of a call (benchmarks/results/profile.json). Requests and replies here are plain JSON. Retries, headers,
    timeouts and errors are the client's; messages and callbacks are langchain's.
    """

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        more = payload.pop("extra_body", None) or {}
        try:
            reply = await self.root_async_client.post("/chat/completions", cast_to=object, body=payload | more)
        except openai.BadRequestError as error:
            if any(words in str(error) for words in _TOO_LONG):
                raise ContextOverflowError(str(error)) from error
            raise
        # A body that is not declared as JSON arrives as text. If it is no JSON, the transfer was garbled.
        return self._create_chat_result(json.loads(reply) if isinstance(reply, str) else reply)
