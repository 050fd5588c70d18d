"""What a quote's edges, unit letters and punctuation must not change: `5 mg` is not in `0.5 mg`, `mg` is not `Mg`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tracejury.retrieval.quote_tokens import Token, names_by_letter

_ATTACHED = frozenset("/-^%‰‱<>=≤≥±\u00d7÷+~≈°:\u00b7↑↓→←⇑⇓⬆⬇▲▼↗↘❌✗✘✖🚫⛔☒☐❎")
_PRODUCT = frozenset("/^%‰‱°\u00b7\u00d7÷±:")
_ROMAN = re.compile(r"[ivx]{1,5}")
_UNIT_LETTERS = re.compile(r"(?<=\d)\s?([A-Za-z]{1,5})(?![A-Za-z])")
_AMBIGUOUS = frozenset(
    {"mg", "mm", "mmol", "ml", "mu", "ms", "mv", "mw", "mbq", "mhz", "mpa", "meq", "pg", "pmol", "ph", "g"}
)
_ENDS = re.compile(r"[.!?;](?=\W*\s|$)|\n\s*\n|\n\s*[-*•|]")
_NEGATOR = re.compile(
    r"no|not|never|without|neither|nor|none|cannot|avoid|absent|negative|denied"
    r"|(?:do|does|did|is|are|was|were|has|have|had|ca|wo|could|would|should|must|need)nt"
)


def cut_off(quoted: Sequence[Token], there: Sequence[Token], first: int, last: int, text: str) -> str | None:
    """Return why a quote begins or ends inside a number, a range, a unit, a comparison or a name, or None."""
    before, after = there[max(0, first - 2) : first], there[last + 1 : last + 2]
    if before and _begins_inside(before[-1], there[first], quoted[0], text):
        return f"the quote begins in the middle of {text[before[-1].start : there[first].end]!r}"
    if len(before) == 2 and names_by_letter(before[0].text) and _short_name(before[1], text):
        between = text[before[0].end : there[first].start]
        if not re.search(r"[^\w\s-]|\n", between) and not there[first].is_number:
            return f"the quote begins in the middle of {text[before[0].start : there[first].end]!r}"
    if after and _ends_inside(there[last], after[0], text):
        return f"the quote ends in the middle of {text[there[last].start : after[0].end]!r}"
    return None


def other_units(quote: str, same: str) -> str | None:
    """Return the unit that differs in its letter case (Mg, mg), or None. Texts in capitals tell nothing."""
    if quote.isupper() or same.isupper():
        return None
    for ours, theirs in zip(_UNIT_LETTERS.findall(quote), _UNIT_LETTERS.findall(same), strict=False):
        if ours != theirs and ours.lower() == theirs.lower() and ours.lower() in _AMBIGUOUS and ours[0] != theirs[0]:
            return f"the evidence has the unit {theirs!r} where the quote has {ours!r}"
    return None


def other_punctuation(quote: str, quoted: Sequence[Token], text: str, there: Sequence[Token]) -> str | None:
    """Return where the quote joins two sentences of the evidence or breaks one at a negation, or None."""
    if len(quoted) != len(there):
        return _sentences_joined(quote, text[there[0].start : there[-1].end])
    pairs = zip(quoted, quoted[1:], there, there[1:], strict=False)
    for ours, our_next, theirs, their_next in pairs:
        mine, its = quote[ours.end : our_next.start], text[theirs.end : their_next.start]
        if _marks(mine) == _marks(its):
            continue
        around = text[theirs.start : their_next.end]
        if _ENDS.search(its) and not _marks(mine) and "\n" not in mine and _starts_anew(their_next, text):
            return f"the quote runs two sentences together: {around!r}"
        negated = _NEGATOR.fullmatch(theirs.text) or _NEGATOR.fullmatch(their_next.text)
        if negated and bool(_marks(mine)) != bool(_marks(its)):
            return f"the quote has other punctuation beside a negation than {around!r}"
    return None


def _begins_inside(before: Token, first: Token, quoted: Token, text: str) -> bool:
    spaced = first.start > before.end
    if before.text in _ATTACHED and (first.is_number or not spaced or before.text in _PRODUCT - {"%", "‰", "‱", "°"}):
        return True
    if _one_name(before, first, text):
        return True
    if before.is_number and (first.is_number and text[before.end : first.start].strip() in ("", ":")):
        return True
    if before.is_number and first.is_sign and not quoted.is_number and first.text not in _ARROWS:
        return True
    return names_by_letter(before.text) and _short_name(first, text) and text[before.end : first.start].isspace()


_ARROWS = frozenset("↑↓→←⇑⇓⬆⬇▲▼↗↘❌✗✘✖🚫⛔☒☐❎")


def _ends_inside(last: Token, after: Token, text: str) -> bool:
    between = text[last.end : after.start]
    if after.text in _ATTACHED and (not between or (after.text in _PRODUCT and between.isspace())):
        return True
    if _one_name(last, after, text):
        return True
    if last.is_number and after.is_number and between.strip() in ("", ":"):
        return True
    return names_by_letter(last.text) and _short_name(after, text) and between.isspace()


def _one_name(left: Token, right: Token, text: str) -> bool:
    """Whether a letter and a figure belong together, as in B12, CD4, IL-6, 17a, but not in `6-hour`, `5mg`."""
    between = text[left.end : right.start]
    if left.text[0].isalpha() and right.is_number:
        return between in ("", "-")
    return (
        left.is_number
        and right.text[0].isalpha()
        and not between
        and len(right.text) == 1
        and right.text not in "glmhds"
    )


def _short_name(token: Token, text: str) -> bool:
    """Whether it is a lone capital, a roman or an arabic number, as in hepatitis B, type 2, factor VIII."""
    original = text[token.start : token.end]
    return (
        token.is_name
        or (original.isupper() and (len(original) == 1 or bool(_ROMAN.fullmatch(token.text))))
        or token.text.isdigit()
    )


def _marks(between: str) -> str:
    return "".join(c for c in between if c in ".,;:!?\u2014\u2013()")


def _starts_anew(token: Token, text: str) -> bool:
    return not text[token.start].islower()


def _sentences_joined(quote: str, same: str) -> str | None:
    ends = [m for m in re.finditer(r"(?<=[a-z)\d])[.!?]\s+(?=[A-Z])", same)]
    if len(ends) > len(re.findall(r"[.!?;:\n]", quote)):
        return f"the quote runs two sentences together: {same[max(0, ends[0].start() - 12) : ends[0].end() + 12]!r}"
    return None
