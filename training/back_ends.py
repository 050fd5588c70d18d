"""The request fields that make every server sample as the recipe says: template arguments, no top-k, no defaults.

Servers complete a request with defaults of their own, or of the model's `generation_config.json` (Qwen3: top-k 20).
Two arms are comparable only where these are switched off by name.
"""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import JsonValue

from tracejury.models import Endpoint
from tracejury.training.chat import template_arguments
from tracejury.training.recipe import Student

log = logging.getLogger("tracejury.training")


class BackEnd(StrEnum):
    """What serves a student, for the fields that it takes."""

    VLLM = "vllm"
    LLAMA_CPP = "llama.cpp"
    PLAIN = "plain"
    """A provider that takes OpenAI's fields only; its template and its other defaults are its own."""


_UNCUT: dict[BackEnd, dict[str, JsonValue]] = {
    BackEnd.VLLM: {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0},
    BackEnd.LLAMA_CPP: {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0},
    BackEnd.PLAIN: {},
}
"""No top-k, no smallest probability and no penalty, in each back end's spelling."""


def back_end_of(endpoint: Endpoint) -> BackEnd:
    """Return the back end of an endpoint for which none is named: vLLM, except embedded models and OpenAI's service."""
    if endpoint.kind == "embedded":
        return BackEnd.LLAMA_CPP
    host = urlsplit(endpoint.address).hostname or ""
    return BackEnd.PLAIN if f".{host}".endswith(".openai.com") else BackEnd.VLLM


def request_fields(student: Student, back_end: BackEnd, top_p: float) -> dict[str, JsonValue]:
    """Return the fields of the request body that carry the recipe's template arguments and plain sampling.

    Args:
        student: The recipe's student.
        back_end: What serves it.
        top_p: The share of the probability that is sampled from.
    """
    fields: dict[str, JsonValue] = {"top_p": top_p, **_UNCUT[back_end]}
    arguments = template_arguments(student)
    if arguments and back_end is BackEnd.PLAIN:
        log.warning(
            "the recipe's template arguments %s are not sent: a plain server takes OpenAI's fields only, so the model "
            "is prompted otherwise than in training; name the server with --served-by vllm or llama.cpp",
            json.dumps(arguments),
        )
    elif arguments:
        fields["chat_template_kwargs"] = arguments
    return fields
