"""The chat model: langchain-openai's callbacks and client, with this folder's own border for replies."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables.config import ensure_config
from langchain_openai import ChatOpenAI

from tracejury.models.completions import Completion, read_completion
from tracejury.models.request_body import ChatBody
from tracejury.models.request_ids import HEADER, new_request_id

_COMPLETION = "completion"


class DirectChat(ChatOpenAI):
    """`ChatOpenAI` whose request goes through the client's plain `post`.

    `chat.completions.create` walks through every field of the request to rename what its types rename, builds typed
    objects of the reply, and langchain-openai turns them back into a dictionary in a thread: about a third of the CPU
    time of a call (benchmarks/results/profile.json). Requests here are plain JSON, and the body of the reply is read by
    `read_completion`. Headers, timeouts and errors are the client's; messages and callbacks are langchain's, whose
    machinery of runs and events is entered only where a callback, a tracer or a stream of messages listens.
    """

    async def send(self, body: ChatBody) -> Completion:
        """Send one request.

        Raises:
            openai.OpenAIError: There is no response, or a refusal.
            NotACompletionError: The response is no chat completion.
        """
        if not self._has_listeners():
            return await self._post(self._get_request_payload(body.messages) | body.fields)
        message = await self.ainvoke(body.messages, extra_body=body.fields)
        completion: Completion = message.response_metadata[_COMPLETION]
        return completion

    def _has_listeners(self) -> bool:
        """Whether anything in the present context is told about calls: callbacks, tracers, debug output, streams."""
        inherited = ensure_config().get("callbacks")
        return bool(AsyncCallbackManager.configure(inherited, self.callbacks, self.verbose).handlers)

    async def _post(self, payload: dict[str, Any]) -> Completion:
        prompt = "\n".join(str(message.get("content")) for message in payload["messages"])
        headers = {HEADER: new_request_id(prompt)}
        raw: bytes = await self.root_async_client.post(
            "/chat/completions", cast_to=bytes, body=payload, options={"headers": headers}
        )
        return read_completion(raw, prompt)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        more = payload.pop("extra_body", None) or {}
        completion = await self._post(payload | more)
        message = AIMessage(completion.text, response_metadata={_COMPLETION: completion})
        return ChatResult(generations=[ChatGeneration(message=message)])
