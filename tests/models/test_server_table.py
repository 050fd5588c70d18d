"""What known servers say when they refuse: each refusal is avoided in the next request, or has reason and remedy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tracejury.models import CallFailed, CallStore, FailureReason, Gateway


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}}


EXTRA = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 7}
GEMINI_SEED = 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'

# Server -> the field that it refuses, a value in it, status, body, and the line of what was learnt.
AVOIDED: dict[str, tuple[str, str | None, int, Any, str]] = {
    "OpenAI, Azure": (
        "max_tokens",
        None,
        400,
        error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        "called max_completion_tokens",
    ),
    "Gemini": (
        "seed",
        None,
        400,
        [{"error": {"code": 400, "message": GEMINI_SEED, "status": "INVALID_ARGUMENT"}}],
        "without seed",
    ),
    "Mistral": ("seed", None, 422, {"object": "error", "message": {"detail": [EXTRA]}}, "without seed"),
    "FastAPI": ("seed", None, 422, {"detail": [EXTRA]}, "without seed"),
    "Groq": (
        "response_format",
        "json_schema",
        400,
        error("This model does not support response format `json_schema`."),
        "reply_format json_object",
    ),
    "DeepSeek": (
        "response_format",
        "json_schema",
        400,
        error("This response_format type is unavailable now"),
        "reply_format json_object",
    ),
    "TGI": (
        "temperature",
        None,
        422,
        {"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"},
        "without temperature",
    ),
    "llama.cpp": (
        "response_format",
        "json_schema",
        400,
        error("failed to parse grammar", code=400),
        "reply_format json_object",
    ),
    "vLLM": (
        "response_format",
        "json_schema",
        400,
        {
            "object": "error",
            "message": "The provided JSON schema contains features not supported by xgrammar.",
            "type": "BadRequestError",
            "code": 400,
        },
        "reply_format json_object",
    ),
    "LiteLLM": (
        "seed",
        None,
        400,
        error(
            "litellm.UnsupportedParamsError: anthropic does not support parameters: "
            "['seed'], for model=claude. To drop these, set `litellm.drop_params=True`"
        ),
        "without seed",
    ),
    "Anthropic": (
        "max_tokens",
        "512",
        400,
        error("max_tokens: 512 > 256, which is the maximum allowed number of output tokens for claude"),
        "at most 256 tokens",
    ),
}

# Server -> status, body, the reason of the failure, and words of its remedy.
HOPELESS: dict[str, tuple[int, Any, FailureReason, str]] = {
    "Gemini's key": (
        400,
        [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
        FailureReason.REFUSED,
        "api_key_env",
    ),
    "Azure's key": (
        401,
        error("Access denied due to invalid subscription key", code="401"),
        FailureReason.REFUSED,
        "api_key_env",
    ),
    "Azure's deployment": (
        404,
        error("The API deployment for this resource does not exist.", code="DeploymentNotFound"),
        FailureReason.REFUSED,
        "`model: ",
    ),
    "Azure's filter": (400, error("The response was filtered", code="content_filter"), FailureReason.FILTERED, ""),
    "Ollama": (404, error('model "m" not found'), FailureReason.REFUSED, "`model: "),
    "LM Studio": (404, error("No models loaded. Please load a model."), FailureReason.REFUSED, "`model: "),
    "Together": (
        404,
        error("Unable to access model m.", code="model_not_available"),
        FailureReason.REFUSED,
        "`model: ",
    ),
    "OpenRouter's credits": (402, error("Insufficient credits", code=402), FailureReason.REFUSED, "no credit"),
    "Anthropic's credits": (
        400,
        error("Your credit balance is too low to access the Anthropic API."),
        FailureReason.REFUSED,
        "no credit",
    ),
    "OpenAI's quota": (
        429,
        error("You exceeded your current quota", code="insufficient_quota"),
        FailureReason.REFUSED,
        "no credit",
    ),
    "llama.cpp's context": (
        400,
        error("the request exceeds the available context size", code=400),
        FailureReason.CONTEXT,
        "",
    ),
    "vLLM's context": (
        400,
        {"object": "error", "message": "This model's maximum context length is 40 tokens."},
        FailureReason.CONTEXT,
        "",
    ),
    "Groq's JSON": (
        400,
        error("Failed to validate JSON.", code="json_validate_failed", failed_generation="{"),
        FailureReason.UNUSABLE,
        "",
    ),
}


async def ask(asking: Any) -> tuple[Any, dict[str, tuple[str, ...]]]:
    async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
        try:
            return await gateway.chat(asking.about("x", seed=7)), gateway.adaptation_lines()
        except CallFailed as failed:
            return failed, {}


@pytest.mark.parametrize("server", AVOIDED)
def test_what_a_server_refuses_is_avoided_at_once(asking: Any, server: str) -> None:
    name, value, status, body, line = AVOIDED[server]
    asking.server.set(
        refusal={"field": name, "value": value, "status": status, "body": body},
        reply={"text": '{"finding": "ok", "label": "supported"}'},
    )
    reply, lines = asyncio.run(ask(asking))
    assert not isinstance(reply, CallFailed), reply
    assert line in " ".join(lines["local"])
    assert asking.server.counts()["modes"]["refused"] == 1


@pytest.mark.parametrize("server", HOPELESS)
def test_what_cannot_be_avoided_has_its_reason_and_remedy(asking: Any, server: str) -> None:
    status, body, reason, remedy = HOPELESS[server]
    asking.server.set(refusal={"field": None, "status": status, "body": body})
    failed, _ = asyncio.run(ask(asking))
    assert isinstance(failed, CallFailed)
    assert (failed.reason, failed.calls[-1].attempts) == (reason, 1)
    assert remedy in failed.detail
