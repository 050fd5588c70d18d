"""Long lists of words as a pattern that fails fast: grouped by their first letter, each looked at once."""

from __future__ import annotations

from collections import defaultdict


def any_of(*lists: str, any_case: bool = False) -> str:
    """Return a pattern of any of the alternatives in `lists`, which stand between bars.

    Python's engine tries one alternative after the other and folds the case of every letter that it compares; a group
    of one first letter costs it one look. Alternatives that begin with no plain letter stand behind the groups.
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    others: list[str] = []
    for alternative in _alternatives("|".join(lists)):
        first, second = alternative[:1], alternative[1:2]
        if not first.isalpha() or second in ("?", "*", "+", "{"):
            others.append(alternative)
        else:
            groups[first.lower() if any_case else first].append(alternative[1:])
    flag = "(?i:" if any_case else "(?:"
    parts = [
        (f"[{first}{first.upper()}]" if any_case and len(first.upper()) == 1 else first) + f"{flag}{'|'.join(rests)})"
        for first, rests in groups.items()
    ]
    if others:
        parts.append(f"{flag}{'|'.join(others)})")
    return f"(?:{'|'.join(parts)})"


def _alternatives(pattern: str) -> list[str]:
    """Split `pattern` at the bars that stand in no bracket."""
    alternatives, depth, start = [], 0, 0
    escaped = in_class = False
    for place, character in enumerate(pattern):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            alternatives.append(pattern[start:place])
            start = place + 1
    return [*alternatives, pattern[start:]]
