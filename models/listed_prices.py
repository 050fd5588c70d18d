"""Prices of the providers' models, from the list that the package genai-prices ships; nothing is asked at run time."""

from __future__ import annotations

from functools import cache

from tracejury.models.records import Price

_TOKENS = 1_000
"""Few enough for the first tier of a price that grows with the prompt."""


@cache
def listed_price(model: str, address: str) -> Price | None:
    """Return the list's price of a model at an address, by million tokens; None: the list does not have it.

    Args:
        model: The model's name at the address.
        address: The base URL: the same model has other prices elsewhere.
    """
    from genai_prices import Usage, calc_price

    try:
        prompt, cached, completion = (
            float(calc_price(usage, model, provider_api_url=address).total_price) * 1_000_000 / _TOKENS
            for usage in (
                Usage(input_tokens=_TOKENS, output_tokens=0),
                Usage(input_tokens=_TOKENS, cache_read_tokens=_TOKENS, output_tokens=0),
                Usage(input_tokens=0, output_tokens=_TOKENS),
            )
        )
    except LookupError:
        return None
    return Price(prompt=round(prompt, 6), cached=round(cached, 6), completion=round(completion, 6))
