"""Which models an endpoint serves."""

from __future__ import annotations

from tracejury.models.keys import api_key
from tracejury.models.records import Endpoint

_ANSWER_S = 20.0


class ModelUnknownError(ValueError):
    """The endpoint does not say which one model it serves."""


async def served_model(endpoint: Endpoint) -> str:
    """Return the model of an endpoint that serves one.

    Raises:
        ModelUnknownError: The server lists none or several, or does not answer.
        KeyMissingError: The endpoint's key is missing.
    """
    import openai

    client = openai.AsyncOpenAI(
        base_url=endpoint.address, api_key=api_key(endpoint) or "none", timeout=_ANSWER_S, max_retries=0
    )
    try:
        async with client:
            names = [model.id for model in (await client.models.list()).data]
    except openai.OpenAIError as error:
        raise ModelUnknownError(f"{endpoint.address} does not list its models: {error}") from error
    if len(names) != 1:
        listed = ", ".join(names[:10]) or "none"
        raise ModelUnknownError(f"{endpoint.address} serves {len(names)} models: {listed}. Name the one to ask.")
    return names[0]
