"""The price of a call: the panel's, else the kept list's, else none."""

from __future__ import annotations

import pytest

from tracejury.models import Budget, Endpoint, Price, price_of

OPENAI = "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("fields", "is_known"),
    [
        ({"model": "gpt-4o-mini"}, True),
        ({"model": "gpt-4o-mini", "base_url": OPENAI}, True),
        ({"model": "gpt-4o-mini", "base_url": "http://127.0.0.1:8000/v1"}, False),
        ({"model": "gpt-4o-mini", "base_url": "https://gateway.example.org/v1"}, False),
        ({"model": "a-model-of-my-own", "base_url": OPENAI}, False),
    ],
)
def test_the_list_knows_a_model_at_its_providers_address_only(fields: dict[str, str], is_known: bool) -> None:
    price = price_of(Endpoint(name="e", **fields))  # type: ignore[arg-type]
    assert (price.prompt > 0) == is_known
    if is_known:
        assert price.cached is not None
        assert 0 < price.cached < price.prompt < price.completion


def test_the_panel_overrules_the_list_and_a_cap_needs_either() -> None:
    named = Endpoint(name="e", model="gpt-4o-mini", price=Price(prompt=7.0))
    assert price_of(named) == Price(prompt=7.0)
    budget = Budget(max_usd=1.0)
    budget.check_prices([named, Endpoint(name="listed", model="gpt-4o-mini")])
    with pytest.raises(ValueError, match="needs a price"):
        budget.check_prices([Endpoint(name="own", model="a-model-of-my-own")])
