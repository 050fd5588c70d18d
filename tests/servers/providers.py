"""What providers refuse in a request, in their own words; `Behaviour.refuses` names one or several of them."""

from __future__ import annotations

from typing import Any

from aiohttp import web


def _refusal(message: str, param: str | None = None, code: str | None = None) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return web.json_response({"error": error}, status=400)


def refusal(provider: str, body: dict[str, Any]) -> web.Response | None:  # noqa: C901 - one case a provider
    """Return the refusal of a request, or None."""
    kind = (body.get("response_format") or {}).get("type")
    match provider:
        case "json_schema" if kind == "json_schema":
            text = "Invalid value for 'response_format': json_schema is not supported by this model."
            return _refusal(text, "response_format", "unsupported_value")
        case "json_schema, tersely" if kind == "json_schema":
            return _refusal("This response_format type is unavailable now")
        case "response_format" if kind:
            return _refusal("Unrecognized request argument supplied: response_format")
        case "guided decoding" if kind == "json_schema":
            return web.json_response({"object": "error", "message": "Grammar error: unsupported schema"}, status=400)
        case "lengths" if kind == "json_schema" and "maxLength" in str(body):
            text = "Invalid schema for response_format 'JudgeReply': In context=(), 'maxLength' is not permitted."
            return _refusal(text, "response_format", "invalid_json_schema")
        case "max_tokens" if "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            return _refusal(text, "max_tokens", "unsupported_parameter")
        case "max_completion_tokens" if "max_completion_tokens" in body:
            detail = [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs"}]
            return web.json_response({"detail": detail}, status=422)
        case "long replies" if body.get("max_tokens", 0) > 100:
            return _refusal(
                "max_tokens is too large: 512. This model supports at most 100 completion tokens.", "max_tokens"
            )
        case "temperature" if body.get("temperature", 1) != 1:
            text = "Unsupported value: 'temperature' does not support 0.0 with this model."
            return _refusal(text, "temperature", "unsupported_value")
        case "tools, tersely" if "tools" in body:
            return _refusal('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
        case "tools" if "tools" in body:
            return _refusal("m does not support tools")
        case "seed" if "seed" in body:
            return _refusal("Unrecognized request argument supplied: seed")
        case "system role" if body["messages"][0]["role"] == "system":
            return _refusal("System role not supported")
        case "user after user" if body["messages"][0]["role"] == "system":
            text = "Conversation roles must alternate user/assistant/user/assistant/..."
            return web.json_response({"object": "error", "message": text}, status=400)
    return None
