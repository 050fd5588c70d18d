"""Why a call failed, and whether another attempt makes sense."""

from __future__ import annotations

import email.utils
import json
import time
from typing import NamedTuple

import openai
from langchain_core.exceptions import ContextOverflowError

from tracejury.models.keys import redact
from tracejury.models.local.server import EmbeddedServerError
from tracejury.models.local.weights import WeightsError
from tracejury.models.records import FailureReason

_CONTEXT = (
    "context_length",
    "context length",
    "context size",
    "context window",
    "exceed_context",
    "prompt is too long",
)


class Fault(NamedTuple):
    """The failure of one attempt."""

    reason: FailureReason
    detail: str
    transient: bool
    """Another attempt makes sense: 429, 5xx, timeouts, broken connections."""
    overload: bool = False
    """The endpoint asks for fewer calls: 429, 503, 529."""
    down: bool = False
    """The endpoint does not work: no connection, no answer in time, 502 and above (500 often concerns one prompt)."""
    retry_after: float | None = None
    """Seconds to wait, by the endpoint's `Retry-After`."""


class NoAnswerError(Exception):
    """A call has no reply after all retries."""

    def __init__(self, reason: FailureReason, detail: str, attempts: int) -> None:
        detail = redact(detail)
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.attempts = attempts


def fault_of(error: BaseException) -> Fault | None:
    """Return the endpoint's fault in `error`; None: it is not the endpoint's (a bug, a cancellation)."""
    text = redact(f"{type(error).__name__}: {error}"[:2000])
    if isinstance(error, ContextOverflowError):
        return Fault(FailureReason.CONTEXT, text, transient=False)
    if isinstance(error, (EmbeddedServerError, WeightsError)):
        return Fault(FailureReason.REFUSED, str(error), transient=False)
    if isinstance(error, openai.APIStatusError):
        return _status(error, text)
    if isinstance(error, (openai.APIConnectionError, TimeoutError, ConnectionError)):
        return Fault(FailureReason.UNAVAILABLE, text, transient=True, down=True)
    # The transfer was cut or garbled, so the body is no JSON.
    if isinstance(error, (json.JSONDecodeError, openai.APIResponseValidationError)):
        return Fault(FailureReason.UNAVAILABLE, f"garbled response: {text}", transient=True)
    if isinstance(error, openai.APIError):
        return Fault(FailureReason.UNAVAILABLE, text, transient=True)
    return None


def _status(error: openai.APIStatusError, text: str) -> Fault:
    status = error.status_code
    if status in (400, 413, 422) and any(word in text.lower() for word in _CONTEXT):
        return Fault(FailureReason.CONTEXT, text, transient=False)
    if status in (408, 409, 425, 429) or status >= 500:
        overload = status in (429, 503, 529)
        # An exhausted account answers 429 too, and no wait mends that.
        if "insufficient_quota" in text:
            return Fault(FailureReason.REFUSED, text, transient=False)
        return Fault(
            FailureReason.UNAVAILABLE,
            text,
            transient=True,
            overload=overload,
            down=status > 500,
            retry_after=_retry_after(error),
        )
    return Fault(FailureReason.REFUSED, text, transient=False)


def _retry_after(error: openai.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) * scale)
        except ValueError:
            when = email.utils.parsedate_tz(value)
            if when is not None:
                return max(0.0, email.utils.mktime_tz(when) - time.time())
    return None
