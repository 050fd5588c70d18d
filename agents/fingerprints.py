"""Fingerprints of panels, for runs and calibrators: a field at its default is left out, so a new one changes none.

The fields that panels had when fingerprints were first written are always in: leaving them out now would refuse every
ledger and calibrator of that time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from tracejury.agents.panel import JudgeSpec, Panel, RelevanceSpec, ResolverSpec, RetrievalSpec
from tracejury.agents.records import Policy
from tracejury.models import Endpoint, Price
from tracejury.traces import segmenter_rule

_FIRST_FIELDS: Mapping[type[BaseModel], frozenset[str]] = {
    Panel: frozenset(
        {
            "name", "description", "endpoints", "judges", "resolver", "retrieval", "relevance", "case_tokens",
            "reply_tokens", "show_gold", "show_earlier", "early_stop", "full_share", "unsure_below", "segmenter",
            "calibrator", "deidentify", "seed",
        }
    ),
    JudgeSpec: frozenset({"name", "judge", "endpoint", "seat", "temperature", "sample", "only_if", "params"}),
    ResolverSpec: frozenset({"endpoint", "rounds", "k", "max_tokens"}),
    RetrievalSpec: frozenset({"sources", "k", "embedder", "fusion", "params"}),
    RelevanceSpec: frozenset({"scorer", "floor"}),
    Endpoint: frozenset(
        {
            "name", "kind", "model", "base_url", "api_key_env", "prefix_cache", "max_concurrency",
            "requests_per_minute", "tokens_per_minute", "timeout_s", "deadline_s", "max_attempts", "context_window",
            "reply_format", "slots", "hedge_after_s", "price", "params",
        }
    ),
    Price: frozenset({"prompt", "cached", "completion"}),
}  # fmt: skip


def panel_fields(panel: Panel, exclude: Collection[str] = (), endpoint_fields: Collection[str] | None = None) -> Any:
    """Return what a fingerprint of a panel is computed from, as JSON data.

    Args:
        panel: The panel.
        exclude: Its fields that do not count.
        endpoint_fields: The fields of endpoints that count; None: all.
    """
    fields = {name: value for name, value in _plain(panel).items() if name not in exclude}
    if endpoint_fields is not None:
        endpoints = sorted(fields["endpoints"].items())
        fields["endpoints"] = {
            name: {key: value for key, value in body.items() if key in endpoint_fields} for name, body in endpoints
        }
    # Panels said so before there were policies; and none had a checker, so that its absence is left out.
    fields["require_grounding"] = fields.pop("policy", Policy.GROUNDED.value) == Policy.GROUNDED.value
    fields["segmenter"] = segmenter_rule(panel.segmenter)
    fields.pop("checker", None)
    if panel.checker is not None:
        fields["checker"] = _plain(panel.checker)
    return fields


def _plain(record: BaseModel) -> dict[str, Any]:
    """Return a record as JSON data, without the later fields that are at their default."""
    first = next((names for kind, names in _FIRST_FIELDS.items() if isinstance(record, kind)), frozenset[str]())
    body = record.model_dump(mode="json")
    fields = type(record).model_fields
    left_out = {name for name in fields if name not in first and _is_default(record, name)}
    return {name: _nested(getattr(record, name), body[name]) for name in body if name not in left_out}


def _nested(value: Any, dumped: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value)
    if isinstance(value, tuple):
        return [_nested(part, body) for part, body in zip(value, dumped, strict=True)]
    if isinstance(value, Mapping):
        return {key: _nested(part, dumped[key]) for key, part in value.items()}
    return dumped


def _is_default(record: BaseModel, name: str) -> bool:
    field = type(record).model_fields[name]
    return not field.is_required() and bool(getattr(record, name) == field.get_default(call_default_factory=True))
