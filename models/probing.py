"""One small request to an endpoint before a run: is it there, does it accept the key, and what does it refuse?"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from tracejury.models.adaptations import Adaptations
from tracejury.models.keys import api_key
from tracejury.models.local.weights import cache_dir
from tracejury.models.records import ChatRequest, Endpoint, Message
from tracejury.storage import KeyValueStore

PROBE_TOKENS = 64
"""The limit of the probe's reply."""
PROBE_DEADLINE_S = 60.0
PROBE_ATTEMPTS = 3
VALID_S = 86_400.0
"""A probe is valid for a day."""


class ProbeResult(NamedTuple):
    """The result of a probe."""

    endpoint: Endpoint
    adaptations: Adaptations = Adaptations()
    latency_s: float | None = None
    """Seconds until the reply; None: there was none, or the result is that of an earlier probe."""
    problem: str | None = None
    """Why there was no reply."""
    remedy: str | None = None
    """What the user can do; None: the problem may go away by itself."""
    from_cache: bool = False
    """The result is that of a probe within the last day."""

    @property
    def is_hopeless(self) -> bool:
        """Whether a run that uses the endpoint cannot succeed."""
        return self.remedy is not None

    def __str__(self) -> str:
        name = f"endpoint {self.endpoint.name!r} ({self.endpoint.model} at {self.endpoint.address})"
        if self.problem is not None:
            return f"{name}: {self.problem}" + (f". {self.remedy}" if self.remedy else "")
        differences = "; ".join(self.adaptations.lines(self.endpoint))
        when = "answered within the last day" if self.latency_s is None else f"answers in {self.latency_s:.1f} s"
        return f"{name} {when}" + (f"; {differences}" if differences else "")


def probe_request(endpoint: Endpoint, schema: type) -> ChatRequest:
    """Return the request of a probe: a judge's schema, few words and few tokens."""
    messages = (
        Message(role="system", parts=("You check one step of a medical chain of thought.",)),
        Message(role="user", parts=("This is a test of the connection. Reply with the shortest valid JSON object.",)),
    )
    return ChatRequest(endpoint, messages, "probe", "probe", schema=schema, max_tokens=PROBE_TOKENS, seed=0)


def probing_endpoint(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with the patience of a probe."""
    return endpoint.model_copy(
        update={
            "timeout_s": min(endpoint.timeout_s, PROBE_DEADLINE_S),
            "deadline_s": min(endpoint.deadline_s, PROBE_DEADLINE_S),
            "max_attempts": min(endpoint.max_attempts, PROBE_ATTEMPTS),
            "hedge_after_s": None,
        }
    )


class ProbeCache:
    """The results of successful probes of the last day, by address and model.

    Args:
        path: The file; None: `endpoints.db` in the user's cache folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._store = KeyValueStore[str]("probe", path=path or cache_dir() / "endpoints.db")

    def get(self, endpoint: Endpoint) -> Adaptations | None:
        """Return what an endpoint was found to refuse; None: there is no valid probe."""
        text = self._store.get("probe", _key(endpoint))
        if text is None:
            return None
        try:
            entry = json.loads(text)
            is_valid = 0 <= time.time() - float(entry["at"]) < VALID_S
            return Adaptations.model_validate(entry["adaptations"]) if is_valid else None
        except (KeyError, TypeError, ValueError, ValidationError):
            return None  # written by another version

    def add(self, result: ProbeResult) -> None:
        """Keep the result of a successful probe."""
        entry = {"at": time.time(), "adaptations": result.adaptations.model_dump(mode="json")}
        self._store.replace("probe", {_key(result.endpoint): json.dumps(entry)})

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _key(endpoint: Endpoint) -> str:
    """Return address, model, parameters and a digest of the key: another key has not been tried yet."""
    secret = hashlib.sha256((api_key(endpoint) or "").encode()).hexdigest()[:8]
    parts = [endpoint.address, endpoint.model, endpoint.reply_format, endpoint.params, secret]
    return json.dumps(parts, sort_keys=True)
