"""Why a call failed, and whether another attempt makes sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tracejury.models.causes import connection_trouble
from tracejury.models.completions import NotACompletionError, OtherRequestError, storable
from tracejury.models.local.errors import WeightsError
from tracejury.models.local.server import EmbeddedServerError
from tracejury.models.records import FailureReason
from tracejury.models.retry_after import retry_after_s

if TYPE_CHECKING:
    import openai

_CONTEXT = (
    "context_length",
    "context length",
    "context size",
    "context window",
    "contextwindow",
    "exceed_context",
    "prompt is too long",
    "tokens exceed the configured limit",
)
_FILTER = ("content_filter", "content management policy", "responsibleaipolicyviolation")
_QUOTA = (
    *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient balance"),
    *("credit balance is too low", "insufficient credits"),
)
_KEY = ("api key not valid", "invalid api key", "incorrect api key", "invalid_api_key", "api_key_invalid")
_NO_MODEL = re.compile(
    r"model_not_(?:found|available)|does not exist|no such model|unknown model|not found, try|no models loaded"
    r"|unable to access model|model\b.{0,100}\bnot found"
)


class Trait(NamedTuple):
    """What a refusal is about, for its remedy."""

    kind: str
    """`key`, `quota`, `model`, `path`, `page`, `request`, or the name of a `Trouble`."""
    code: str = ""
    """Status and error code: equal refusals have equal traits."""


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
    trait: Trait | None = None
    """What the failure is about, where it concerns the endpoint rather than one prompt."""
    at_once: bool = False
    """The next attempt is another request that avoids the fault: it follows at once, and this one does not count."""


class AdaptedError(Exception):
    """An endpoint refused a part of a request, and the next request will do without it."""


class NoAnswerError(Exception):
    """A call has no reply after all retries."""

    def __init__(self, reason: FailureReason, detail: str, attempts: int, fault: Fault | None = None) -> None:
        detail = storable(detail)
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.attempts = attempts
        self.fault = fault
        """The fault of the last attempt, where that ended the call."""


def fault_of(error: BaseException) -> Fault | None:
    """Return the endpoint's fault in `error`; None: it is not the endpoint's (a bug, a cancellation)."""
    # Here, and in the other modules of this folder, so that a panel without models does not wait for the import.
    import openai
    from langchain_core.exceptions import ContextOverflowError

    if isinstance(error, NotACompletionError):
        return _in_body(error)
    if isinstance(error, AdaptedError):
        return Fault(FailureReason.REFUSED, str(error), transient=True, at_once=True)
    if isinstance(error, (EmbeddedServerError, WeightsError)):
        return Fault(FailureReason.REFUSED, str(error), transient=False)
    if isinstance(error, openai.APIStatusError):
        return _status(error)
    if isinstance(error, (openai.APIConnectionError, TimeoutError, ConnectionError)):
        trouble = connection_trouble(error)
        return Fault(
            FailureReason.UNAVAILABLE, trouble.detail, transient=True, down=True, trait=Trait(trouble.kind.value)
        )
    text = storable(f"{type(error).__name__}: {error}"[:2000])
    if isinstance(error, ContextOverflowError):
        return Fault(FailureReason.CONTEXT, text, transient=False)
    if isinstance(error, openai.APIError):
        return Fault(FailureReason.UNAVAILABLE, text, transient=True)
    return None


def refusal_body(error: openai.APIStatusError) -> object:
    """Return the body of a refusal: OpenAI's error object where it is one, else what there is."""
    body = error.body
    inner = body.get("error") if isinstance(body, Mapping) else None
    if inner is not None:
        return inner
    return body if body else error.message


def _in_body(error: NotACompletionError) -> Fault:
    """Return the fault of a response with a good status that is no completion."""
    detail, code = str(error), str(error.code or "").lower()
    if isinstance(error, OtherRequestError):
        return Fault(FailureReason.OTHER_REQUEST, detail, transient=True)
    if error.is_web_page:
        return Fault(FailureReason.UNAVAILABLE, detail, transient=True, trait=Trait("page"))
    if any(word in code for word in _QUOTA):
        return Fault(FailureReason.REFUSED, detail, transient=False, trait=Trait("quota", code))
    if code in ("401", "403", "invalid_api_key", "authentication_error"):
        return Fault(FailureReason.REFUSED, detail, transient=False, trait=Trait("key", code))
    if code in ("404", "model_not_found"):
        return Fault(FailureReason.REFUSED, detail, transient=False, trait=Trait("model", code))
    overload = code in ("429", "503", "529", "rate_limit_exceeded", "overloaded")
    return Fault(FailureReason.UNAVAILABLE, detail, transient=True, overload=overload)


def _status(error: openai.APIStatusError) -> Fault:
    status, body = error.status_code, refusal_body(error)
    code = str(body.get("code") or body.get("type") or "") if isinstance(body, Mapping) else ""
    detail = storable(f"status {status}: {_message(body)}"[:2000])
    text = f"{code} {detail}".lower()
    if status in (400, 413, 422) and any(word in text for word in _CONTEXT):
        return Fault(FailureReason.CONTEXT, detail, transient=False)
    if status in (400, 403, 422) and any(word in text for word in _FILTER):
        return Fault(FailureReason.FILTERED, detail, transient=False)
    if status == 402 or any(word in text for word in _QUOTA):
        # An exhausted account often answers 429, but no wait mends that.
        return Fault(FailureReason.REFUSED, detail, transient=False, trait=Trait("quota", f"{status} {code}"))
    if status in (408, 409, 425, 429) or status >= 500:
        return Fault(
            FailureReason.UNAVAILABLE,
            detail,
            transient=True,
            overload=status in (429, 503, 529),
            down=status > 500,
            retry_after=retry_after_s(error.response.headers),
        )
    if code == "json_validate_failed":  # the server refuses what its own model wrote
        return Fault(FailureReason.UNUSABLE, detail, transient=False)
    kind = "request"
    if status in (401, 403) or any(word in text for word in _KEY):
        kind = "key"
    elif _NO_MODEL.search(text):
        kind = "model"
    elif status in (404, 405):
        kind = "path"
    return Fault(FailureReason.REFUSED, detail, transient=False, trait=Trait(kind, f"{status} {code}"))


def _message(body: object) -> str:
    if isinstance(body, Mapping):
        body = body.get("message") or body.get("detail") or dict(body)
    return " ".join(str(body).split())
