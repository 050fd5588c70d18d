"""One recorded opinion, read from a row of any of the formats; a row names its step by public keys."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tracejury.agents.records import Label, Quote
from tracejury.traces import ErrorType, Record

FIELDS: Mapping[str, tuple[str, ...]] = {
    "step_id": ("step_id",),
    "question": ("question", "question_key", "question_id", "qid"),
    "arm": ("arm", "condition"),
    "sample": ("sample", "epoch"),
    "index": ("step_index",),
    "text": ("step_text", "text"),
    "judge": ("judge", "evaluator", "rater"),
    "label": ("label", "verdict"),
    "confidence": ("confidence",),
    "rationale": ("rationale", "explanation", "reason"),
    "quotes": ("quotes",),
    "error_type": ("error_type",),
    "count": ("count", "n"),
    "human": ("human", "human_label", "expert"),
    "model": ("model",),
    "judge_model": ("judge_model",),
    "answer": ("answer",),
    "gold": ("gold",),
    "source": ("source", "benchmark"),
}
"""What is read -> the columns that may hold it, the first that is there counts; `step` is an index or a text."""
LABELS: Mapping[str, Label | None] = {
    **{label.value: label for label in Label},
    **dict.fromkeys(("correct", "right"), Label.SUPPORTED),
    **dict.fromkeys(("incorrect", "wrong"), Label.ERROR),
    **dict.fromkeys(("uncertain", "abstain", "abstained", "not_sure"), Label.UNCLEAR),
    **dict.fromkeys(("failed", "null", "none", ""), None),
}
"""The words that are read as labels; None is an opinion that could not be had."""


_TEXTS = (
    *("step_id", "question", "arm", "judge", "text", "rationale"),
    *("model", "judge_model", "answer", "gold", "source"),
)


class RecordedOpinion(Record):
    """One opinion, and what its row says of the step that it is about."""

    place: str
    """File and line."""
    label: Label | None
    """None: the row says that no opinion could be had."""
    judge: str = ""
    step_id: str = ""
    question: str = ""
    arm: str = ""
    sample: int | None = None
    index: int | None = None
    text: str = ""
    confidence: float | None = None
    rationale: str = ""
    quotes: tuple[Quote, ...] = ()
    reply: str = ""
    """A model's whole reply, whose handles only the case can resolve."""
    error_type: ErrorType | None = None
    count: int = 1
    """How many such steps the row stands for; only a table of verdicts may say more than 1."""
    human: Label | None = None
    """The label of an expert; this and what follows is read of a table of verdicts alone."""
    model: str = ""
    """The model that is judged."""
    judge_model: str = ""
    answer: str = ""
    gold: str = ""
    source: str = ""

    def same_opinion(self, other: RecordedOpinion) -> bool:
        """Tell whether two rows say the same of their step."""
        return self.model_copy(update={"place": other.place}) == other


def opinion_of(row: Mapping[str, Any], place: str, labels: Mapping[str, str] | None = None) -> RecordedOpinion:
    """Read a row.

    Args:
        row: Column or key -> value.
        place: File and line, for messages.
        labels: Words of the file -> `supported`, `error`, `unclear`, `no_claim` or `failed`, beside the known ones.

    Raises:
        ValueError: The row has no label, an unknown one, or a value of the wrong kind; the message names the place.
    """
    cells = {name: _first(row, names) for name, names in FIELDS.items()}
    step = row.get("step")
    if step not in (None, ""):
        name = "index" if _is_whole(step) else "text"
        cells[name] = step if cells[name] in (None, "") else cells[name]
    if not any(name in row for name in FIELDS["label"]):
        raise ValueError(f"{place}: no label; a row needs a field `label`")
    label = label_of(cells.pop("label"), place, labels)
    parsed_apart = ("quotes", "confidence", "human")
    values: dict[str, Any] = {k: v for k, v in cells.items() if v not in (None, "") and k not in parsed_apart}
    for name in _TEXTS:
        if name in values:
            values[name] = str(values[name])
    try:
        values["human"] = label_of(cells["human"], place, labels)
        values["quotes"] = _quotes(cells["quotes"])
        values["confidence"] = _confidence(cells["confidence"])
        return RecordedOpinion(place=place, label=label, **values)
    except (ValidationError, ValueError, TypeError) as error:
        detail = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" if detail else str(error)
        raise ValueError(f"{place}: {reason}; correct the row") from error


def label_of(value: object, place: str, labels: Mapping[str, str] | None = None) -> Label | None:
    """Return the label that a file's word stands for.

    Raises:
        ValueError: The word is not known; the message says how to give its meaning.
    """
    word = "" if value is None else str(value).strip()
    named = dict(labels or {})
    word = named.get(word, word)
    plain = word.lower().replace(" ", "_").replace("-", "_")
    if plain not in LABELS:
        raise ValueError(
            f"{place}: label {word!r} is not known; say what it means, as `labels: {{{word}: supported}}` "
            f"(supported, error, unclear, no_claim or failed)"
        )
    return LABELS[plain]


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[column] for column in names if row.get(column) not in (None, "")), None)


def _is_whole(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _quotes(value: object) -> tuple[Quote, ...]:
    if value in (None, ""):
        return ()
    listed = json.loads(value) if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise TypeError("quotes are a list of {evidence_id, quote}")
    return tuple(Quote.model_validate(quote) for quote in listed)


def _confidence(value: object) -> float | None:
    if value in (None, ""):
        return None
    number = float(str(value))
    if not (math.isfinite(number) and 0 <= number <= 1):
        raise ValueError(f"confidence {value} is not from 0 to 1")
    return number
