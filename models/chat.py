"""The chat model: langchain-openai's callbacks and client, with this folder's own border for replies."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import ChatOpenAI

from tracejury.models.completions import Completion, read_completion
from tracejury.models.request_body import ChatBody

_COMPLETION = "completion"


class DirectChat(ChatOpenAI):
    """`ChatOpenAI` whose request goes through the client's plain `post`.

    `chat.completions.create` walks through every field of the request to rename what its types rename, builds typed
    objects of the reply, and langchain-openai turns them back into a dictionary in a thread: about a third of the CPU
    time of a call (benchmarks/results/profile.json). Requests here are plain JSON, and the body of the reply is read by
    `read_completion`. Headers, timeouts and errors are the client's; messages and callbacks are langchain's.
    """

    async def send(self, body: ChatBody) -> Completion:
        """Send one request.

        Raises:
            openai.OpenAIError: There is no response, or a refusal.
            NotACompletionError: The response is no chat completion.
        """
        message = await self.ainvoke(body.messages, extra_body=body.fields)
        completion: Completion = message.response_metadata[_COMPLETION]
        return completion

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        more = payload.pop("extra_body", None) or {}
        raw: bytes = await self.root_async_client.post("/chat/completions", cast_to=bytes, body=payload | more)
        completion = read_completion(raw)
        message = AIMessage(completion.text, response_metadata={_COMPLETION: completion})
        return ChatResult(generations=[ChatGeneration(message=message)])
