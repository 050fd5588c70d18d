"""Asking a public web service politely: retries, Retry-After, a time limit, and an error that says what to do."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

_PASSING = {429, 500, 502, 503, 504}


class ServiceError(OSError):
    """A web service could not be reached, or refused. The message leaves out the query, which may hold a key."""


def get_json(base_url: str, query: Mapping[str, str | int], timeout_s: float = 60, attempts: int = 5) -> Any:
    """Return the JSON reply to a GET, or None for 404 (nothing found).

    Raises:
        ServiceError: No usable reply after `attempts`.
    """
    if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
        raise ServiceError(f"{base_url}: not an http(s) address")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        f"{base_url}?{urllib.parse.urlencode(query)}", headers={"User-Agent": "tracejury", "Accept": "application/json"}
    )
    retrying = Retrying(
        retry=retry_if_exception(_is_passing), stop=stop_after_attempt(attempts), wait=_wait, reraise=True
    )
    try:
        with retrying(urllib.request.urlopen, request, timeout=timeout_s) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        if refused.code == 404:
            return None
        raise ServiceError(
            f"{base_url} answered {refused.code} {refused.reason}; try later, or check the query"
        ) from refused
    except (urllib.error.URLError, TimeoutError, ConnectionError) as away:
        raise ServiceError(
            f"{base_url} cannot be reached: {away}; check the network, or `--set base_url=...`"
        ) from away
    except ValueError as bad:
        raise ServiceError(f"{base_url}: the reply is not JSON: {bad}") from bad


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    # What the network guard refuses will be refused again.
    reason = getattr(error, "reason", error)
    return isinstance(error, OSError) and type(reason).__name__ != "BlockedError"


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    retry_after = (
        error.headers.get("Retry-After", "") if isinstance(error, urllib.error.HTTPError) and error.headers else ""
    )
    return min(60.0, float(retry_after)) if retry_after.isdigit() else min(30.0, 0.5 * 2**state.attempt_number)
