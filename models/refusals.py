"""When an endpoint refuses every call, the run stops with the reason and with the line that mends it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from tracejury.models.causes import Trouble
from tracejury.models.failures import Fault, Trait
from tracejury.models.records import Endpoint

UNREACHABLE = (Trouble.NAME, Trouble.TLS, Trouble.NOBODY)
"""Causes that a probe takes for final."""
REFUSALS_IN_A_ROW = {"key": 3, "quota": 3, "model": 3, "path": 3, "page": 6, "request": 10}
"""Equal refusals in a row, by what they are about, after which no further call to a new endpoint makes sense."""
AFTER_A_REPLY = 12
"""Equal refusals in a row of an endpoint that has replied before: some may be about their prompts."""


class Hopeless(NamedTuple):
    """Why an endpoint gets no further call."""

    endpoint: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"endpoint {self.endpoint!r} refuses every call: {self.reason}. {self.remedy}"


class RefusalCounter:
    """Counts equal refusals in a row of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._trait: Trait | None = None
        self._count = 0
        self._has_replied = False
        self.hopeless: Hopeless | None = None

    def record(self, fault: Fault | None) -> None:
        """Record how a call ended; None: with a reply."""
        trait = fault.trait if fault is not None else None
        self._has_replied = self._has_replied or fault is None
        if fault is None or trait is None or trait.kind not in REFUSALS_IN_A_ROW:
            self._trait, self._count = None, 0
            return
        self._count = self._count + 1 if trait == self._trait else 1
        self._trait = trait
        limit = REFUSALS_IN_A_ROW[trait.kind]
        if self._count >= (max(limit, AFTER_A_REPLY) if self._has_replied else limit):
            self.hopeless = hopeless_of(self._endpoint, fault)


def is_final(fault: Fault) -> bool:
    """Whether a single failure of a probe shows that a run cannot succeed."""
    kind = fault.trait.kind if fault.trait is not None else None
    return kind in REFUSALS_IN_A_ROW or kind in UNREACHABLE


def is_about_endpoint(fault: Fault) -> bool:
    """Whether a refusal concerns every request: the key, the account, the model or the address."""
    return fault.trait is not None and fault.trait.kind in REFUSALS_IN_A_ROW and fault.trait.kind != "request"


def hopeless_of(endpoint: Endpoint, fault: Fault, models: tuple[str, ...] = ()) -> Hopeless:
    """Return the reason and the remedy of a fault that will not go away.

    Args:
        endpoint: The endpoint.
        fault: The fault.
        models: The names that the server lists, where they are known.
    """
    kind = fault.trait.kind if fault.trait is not None else "request"
    return Hopeless(endpoint.name, fault.detail.rstrip("."), _remedy(kind, endpoint, models))


def _remedy(kind: str, endpoint: Endpoint, models: tuple[str, ...]) -> str:
    where = f"in the panel, endpoints: {endpoint.name}:"
    address = endpoint.address.rstrip("/")
    if kind == "key":
        if endpoint.api_key_env:
            return f"Give a valid key: export {endpoint.api_key_env}=..."
        return f"The server wants a key: write `api_key_env: NAME` {where} and export NAME=..."
    if kind == "quota":
        return f"The account has no credit: add some, or name another endpoint {where}"
    if kind == "model" and endpoint.model in models:
        choice = f"load it there, or write another, `model: NAME`, {where}"
        return f"The server lists {endpoint.model} and does not serve it: {choice}"
    if kind == "model":
        listed = f" (the server lists {', '.join(models[:5])})" if models else ""
        example = models[0] if models else "NAME"
        return f"Write the name of a model that the server has{listed}, `model: {example}`, {where}"
    if kind in ("path", "page"):
        guess = address if urlsplit(address).path not in ("", "/") else f"{address}/v1"
        return f"Check the address: `base_url: {guess}` {where}"
    if kind == Trouble.NAME:
        return f"Check the host name in `base_url: {address}` {where}"
    if kind == Trouble.TLS:
        return f"Check the certificate of {address}, or SSL_CERT_FILE for an authority of your own"
    if kind in (Trouble.NOBODY, Trouble.TIMEOUT, Trouble.BROKEN):
        return f"Start the server at {address}, or check `base_url` {where}"
    return f"Take the refused field out of `params` {where}, or name another model"
