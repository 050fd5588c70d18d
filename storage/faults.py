"""What is wrong with data that does not fit its model, in a few words."""

from __future__ import annotations

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str) -> str:
    """Return the first fault as `FIELD: what is wrong`.

    Args:
        error: What pydantic raised.
        whole: Stands for the field where the fault is one of the whole, such as `line`.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
