"""Values of a reply that mean the right thing in the wrong form: `"Supported"`, `"80%"`, `0.8`, `null` for "none"."""

from __future__ import annotations

import math
import re
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

_QUOTED = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(%?)\s*")
_NO_VALUE = "none"
_WORDS_FOR_NO_VALUE = frozenset({"", "null", "nil", "n/a", "na", "no_error", "not_applicable"})
_ROUNDS = 3
_NOT_CONVERTED = object()
_LEFT_OUT = object()
Model = TypeVar("Model", bound=BaseModel)


def validated(value: dict[str, Any], schema: type[Model], *, is_last: bool = False) -> Model:
    """Return `value` as an instance of `schema`, with values of the wrong form converted.

    Only forms with one meaning are converted; text is never shortened, and an unknown label stays an error. An entry of
    a list that is text where an object belongs is left out, and is the text of a missing one: a finding without its
    claim and its quote proves nothing, but the label beside it counts.

    Args:
        value: The object.
        schema: The type of the reply.
        is_last: There will be no repair, so entries of lists that lack a field are left out, and a missing list is
            empty.

    Raises:
        ValidationError: It does not fit; the error is that of the value as the model gave it.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = problem = error
    conversion = _Conversion(dict(value), schema, is_last)
    for _ in range(_ROUNDS):
        if not conversion.apply(problem):
            break
        try:
            return schema.model_validate(conversion.value)
        except ValidationError as error:
            problem = error
    raise first


class _Conversion:
    """The conversion of one value, in place."""

    def __init__(self, value: dict[str, Any], schema: type[BaseModel], is_last: bool) -> None:
        self.value = value
        self._fields = schema.model_fields
        self._is_last = is_last
        self._loose_text: list[str] = []

    def apply(self, problem: ValidationError) -> bool:
        """Convert what `problem` is about; return whether anything was converted."""
        changes = [self._convert(details) for details in problem.errors(include_url=False)]
        for name, entries in self.value.items():
            if isinstance(entries, list):
                self.value[name] = [entry for entry in entries if entry is not _LEFT_OUT]
        return any(changes)

    def _convert(self, error: Any) -> bool:
        *path, last = error["loc"] or (None,)
        parent: Any = self.value
        try:
            for key in path:
                parent = parent[key]
            if error["type"] == "missing":
                return self._leave_out(path) if path else self._fill(str(last))
            current = parent[last]
        except (KeyError, IndexError, TypeError):
            return False
        if error["type"] == "model_type" and isinstance(last, int) and not isinstance(current, dict):
            if isinstance(current, str):
                self._loose_text.append(current)
            parent[last] = _LEFT_OUT
            return True
        converted = _converted(current, error)
        if converted is _LEFT_OUT and isinstance(parent, dict):
            del parent[last]
        elif converted is not _NOT_CONVERTED:
            parent[last] = converted
        return converted is not _NOT_CONVERTED

    def _leave_out(self, path: list[Any]) -> bool:
        """Leave out the entry of a list that lacks a field."""
        name, *index = path
        if not self._is_last or len(index) != 1 or not isinstance(index[0], int):
            return False
        self.value[name][index[0]] = _LEFT_OUT
        return True

    def _fill(self, name: str) -> bool:
        """Set a missing field that may be empty: a choice of "none", an explanation, or in the end a list."""
        field = self._fields.get(name)
        if field is None:
            return False
        if _NO_VALUE in get_args(field.annotation):
            self.value[name] = _NO_VALUE
        elif field.annotation is str and self._has_decision():
            self.value[name] = " ".join(self._loose_text)
        elif self._is_last and get_origin(field.annotation) is list and self._has_decision():
            self.value[name] = []
        else:
            return False
        return True

    def _has_decision(self) -> bool:
        """Whether the value holds a field of the schema that is neither text nor a list."""
        return any(
            name in self.value and field.annotation is not str and get_origin(field.annotation) is not list
            for name, field in self._fields.items()
        )


def _converted(current: Any, error: Any) -> Any:
    match error["type"]:
        case "literal_error" | "enum":
            return _choice(current, _QUOTED.findall(str(error["ctx"]["expected"])))
        case "int_parsing" | "int_type" | "int_from_float":
            number = _number(current)
            # A share of one, in a field of whole percent.
            return _NOT_CONVERTED if number is None else round(100 * number if 0 < number < 1 else number)
        case "float_parsing" | "float_type":
            number = _number(current)
            return _NOT_CONVERTED if number is None else number
        case "string_type":
            return _text(current)
        case "list_type":
            return [] if current is None else [current] if isinstance(current, (str, dict)) else _NOT_CONVERTED
        case "extra_forbidden":
            return _LEFT_OUT
    return _NOT_CONVERTED


def _text(current: Any) -> Any:
    """Return a number as text, or paragraphs as one text."""
    if isinstance(current, list) and all(isinstance(item, str) for item in current):
        return " ".join(current)
    is_number = isinstance(current, (int, float)) and not isinstance(current, bool) and math.isfinite(current)
    return str(current) if is_number else _NOT_CONVERTED


def _choice(current: Any, choices: list[str]) -> Any:
    plain = "" if current is None else re.sub(r"[\s-]+", "_", str(current).strip().strip(".").lower())
    if _NO_VALUE in choices and plain in _WORDS_FOR_NO_VALUE:
        return _NO_VALUE
    return next((choice for choice in choices if choice.lower() == plain and choice != current), _NOT_CONVERTED)


def _number(current: Any) -> float | None:
    """Return the number in a value: a float, or text with or without a percent sign."""
    if isinstance(current, str) and (match := _NUMBER.fullmatch(current)):
        # In a field of whole percent "0.8%" is not a share of one.
        return max(float(match[1]), 1.0) if match[2] and float(match[1]) > 0 else float(match[1])
    if isinstance(current, float) and math.isfinite(current):
        return current
    return None
