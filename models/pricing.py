"""The cost of a call."""

from __future__ import annotations

from tracejury.models.guard import is_loopback_url
from tracejury.models.listed_prices import listed_price
from tracejury.models.records import Endpoint, Price


def is_free(endpoint: Endpoint) -> bool:
    """Whether calls cost nothing, whatever the panel's price, because the model runs on this machine."""
    return endpoint.kind == "embedded" or is_loopback_url(endpoint.address)


def price_of(endpoint: Endpoint) -> Price:
    """Return the price of an endpoint: the panel's, else the list's for its model at its address, else nothing."""
    if endpoint.price != Price() or is_free(endpoint):
        return endpoint.price
    return listed_price(endpoint.model, endpoint.address) or endpoint.price


def cost_usd(price: Price, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> float:
    """Return the cost in US dollars; `cached_tokens` are a part of `prompt_tokens` with a price of their own."""
    cached_price = price.prompt if price.cached is None else price.cached
    fresh = prompt_tokens - cached_tokens
    return (fresh * price.prompt + cached_tokens * cached_price + completion_tokens * price.completion) / 1_000_000
