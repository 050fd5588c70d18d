"""Pint's registry, with the few clinical units that it lacks; and expressions evaluated by pint's own parser."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

# Counts have no dimension, so that "beats/minute" and "1/minute" compare; activity in IU has one of its own, so that
# it compares with nothing else. An equivalent is kept apart from a mole: the two differ by the ion's charge.
_DEFINITIONS = (
    "international_unit = [biological_activity] = IU",
    "equivalent = [charge_amount] = Eq",
    "beats = count = beat",
    "breaths = count",
    "breath = count",
    "cells = count",
    "cell = count",
    "drops = count",
    "tablets = [tablet] = tablet",
    "trimester = 13 * week",
)
_ALLOWED = re.compile(r"[\w\s.+\-*/()%°µμ]{1,200}")
_POWER = re.compile(r"(\b10\s*)?\*\*\s*(\(?-?\d+(?:\.\d+)?\)?)?")


class NotComputable(ValueError):
    """The expression is not one that `compute` takes, or its units do not fit together."""


@cache
def registry() -> Any:
    """Return the process-wide pint registry (built in about 0.2 s, on first use)."""
    import pint

    ureg = pint.UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)
    for definition in _DEFINITIONS:
        ureg.define(definition)
    return ureg


def compute(expression: str) -> Any:
    """Evaluate arithmetic with units, such as `70 kg * 15 mg/kg`, to a pint quantity.

    Only numbers, unit names and `+ - * / ** ( )` are taken, exponents between -3 and 3 (-12 and 12 for a base of 10);
    nothing is handed to `eval`.

    Raises:
        NotComputable: Anything else, an unknown unit, a division by zero, units that do not fit together, or a value
            that is not finite.
    """
    import pint

    if not _ALLOWED.fullmatch(expression):
        raise NotComputable(f"not arithmetic: {expression[:80]!r}")
    for ten, power in _POWER.findall(expression):
        # A tower of powers is the one way to make a short expression expensive.
        if not power or abs(float(power.strip("()"))) > (12 if ten else 3):
            raise NotComputable(f"an exponent beyond 3, or not a number: {expression[:80]!r}")
    try:
        value = registry().parse_expression(expression)
        quantity = value if hasattr(value, "magnitude") else registry().Quantity(value)
        finite = math.isfinite(quantity.magnitude)
    except (pint.PintError, ArithmeticError, ValueError, TypeError, AttributeError, SyntaxError) as broken:
        raise NotComputable(f"{expression[:80]!r}: {broken}") from broken
    except Exception as broken:
        # pint raises its tokenizer's own errors as they come.
        if type(broken).__module__.split(".")[0] in {"pint", "tokenize"}:
            raise NotComputable(f"{expression[:80]!r}: {broken}") from broken
        raise
    if not finite:
        raise NotComputable(f"not finite: {expression[:80]!r}")
    return quantity
