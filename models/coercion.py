"""Values of a reply that mean the right thing in the wrong form: `"Supported"`, `"80%"`, `0.8`, `null` for "none"."""

from __future__ import annotations

import math
import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_QUOTED = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(%?)\s*")
_NO_VALUE = "none"
_ROUNDS = 3


def validated(value: dict[str, Any], schema: type[BaseModel]) -> BaseModel:
    """Return `value` as an instance of `schema`, with values of the wrong form converted.

    Only forms with one meaning are converted; text is never shortened, and an unknown label stays an error.

    Raises:
        ValidationError: It does not fit; the error is that of the value as the model gave it.
    """
    value = dict(value)
    first: ValidationError | None = None
    for _ in range(_ROUNDS):
        try:
            return schema.model_validate(value)
        except ValidationError as error:
            first = first or error
            changed = [_convert(value, details, schema) for details in error.errors(include_url=False)]
            if not any(changed):
                break
    if first is None:
        raise ValueError("no round of validation was run")
    raise first


def _convert(value: Any, error: Any, schema: type[BaseModel]) -> bool:
    """Convert the one value that `error` is about, in place; return whether that was possible."""
    *path, last = error["loc"] or (None,)
    try:
        for key in path:
            value = value[key]
        if error["type"] == "missing":
            return not path and _fill(value, last, schema)
        current = value[last]
    except (KeyError, IndexError, TypeError):
        return False
    converted = _converted(current, error)
    if converted is _NOT_CONVERTED:
        return False
    if converted is _LEFT_OUT:
        del value[last]
    else:
        value[last] = converted
    return True


def _fill(value: dict[str, Any], name: Any, schema: type[BaseModel]) -> bool:
    """Set a missing field whose choices include "none"."""
    field = schema.model_fields.get(str(name))
    if field is None or _NO_VALUE not in get_args(field.annotation):
        return False
    value[str(name)] = _NO_VALUE
    return True


_NOT_CONVERTED = object()
_LEFT_OUT = object()


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
        case "string_type" if (
            isinstance(current, (int, float)) and not isinstance(current, bool) and math.isfinite(current)
        ):
            return str(current)
        case "list_type":
            return [] if current is None else [current] if isinstance(current, (str, dict)) else _NOT_CONVERTED
        case "extra_forbidden":
            return _LEFT_OUT
    return _NOT_CONVERTED


def _choice(current: Any, choices: list[str]) -> Any:
    if current is None:
        return _NO_VALUE if _NO_VALUE in choices else _NOT_CONVERTED
    plain = re.sub(r"[\s-]+", "_", str(current).strip().strip(".").lower())
    return next((choice for choice in choices if choice.lower() == plain and choice != current), _NOT_CONVERTED)


def _number(current: Any) -> float | None:
    """Return the number in a value: a float, or text with or without a percent sign."""
    if isinstance(current, str) and (match := _NUMBER.fullmatch(current)):
        # In a field of whole percent "0.8%" is not a share of one.
        return max(float(match[1]), 1.0) if match[2] and float(match[1]) > 0 else float(match[1])
    if isinstance(current, float) and math.isfinite(current):
        return current
    return None
