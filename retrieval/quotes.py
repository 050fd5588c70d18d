"""Whether a quote stands in its evidence, word for word, and where.

A judge may cite only words that are there. Unicode forms, white space, hyphenation, markup and letter case may differ;
beyond that an alignment forgives articles, spelling variants and slips inside long words, and nothing else: a number,
a unit, a negation, a drug or any other word that differs is a different statement. `docs/grounding.md` has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein, Levenshtein

from tracejury.retrieval.quote_tokens import Token, quote_tokens
from tracejury.traces import Record

ALIGNMENT_FLOOR = 70.0
"""Similarity in per cent (of tokens, Indel) below which two wordings are not compared token by token."""
_SLIPS_PER_TOKEN = 1 / 8
_SHORTEST_ALIGNED = 6
_SHORTEST_SLIP = 8
# The aligner's window is as long as the quote; articles and split words make the true span a little longer or shorter.
_PLAY = 3
_ARTICLES = frozenset({"a", "an", "the"})
_NEGATOR = re.compile(
    r"no|not|never|without|neither|nor|cannot|non|absent|den(?:y|ies|ied)|against|avoid(?:ed|ing)?|contraindicated|except"
    r"|unless|fail(?:s|ed|ing)?|lack(?:s|ed|ing)?|(?:do|does|did|is|are|was|were|has|have|had|ca|wo|could|would|should|must|need)nt"
)
_ATTACHED = frozenset("/-^%<>=≤≥±\u00d7+~≈°")


class QuoteCheck(Record):
    """The result of a check. `start` and `end` are offsets into the evidence's original text."""

    verified: bool
    start: int | None = None
    end: int | None = None
    why_not: str | None = None


def check_quote(quote: str, text: str) -> QuoteCheck:
    """Look for `quote` in `text`.

    Args:
        quote: What a judge says stands there.
        text: The evidence, as it is.

    Returns:
        Verified with offsets, or why not. A quote that leaves out something (`...`) is not verified: what is left out
        may be a negation.
    """
    wanted = quote_tokens(quote)
    if len(wanted) < 2 or not any(len(t.text) > 3 or t.is_number for t in wanted):
        return QuoteCheck(verified=False, why_not="too short: quote at least two words")
    there = quote_tokens(text)
    cut = None
    for first in _occurrences([t.text for t in wanted], [t.text for t in there]):
        last = first + len(wanted) - 1
        cut = _cut_off(wanted, there, first, last, text)
        if cut is None:
            return QuoteCheck(verified=True, start=there[first].start, end=there[last].end)
    if cut is not None:
        return QuoteCheck(verified=False, why_not=cut)
    if "..." in quote.strip(" .") or "…" in quote.strip(" …"):
        return QuoteCheck(verified=False, why_not="the quote leaves words out; quote one unbroken passage")
    return _aligned(wanted, there, text)


def _occurrences(wanted: Sequence[str], there: Sequence[str]) -> list[int]:
    head, n = wanted[0], len(wanted)
    return [i for i in range(len(there) - n + 1) if there[i] == head and list(there[i : i + n]) == list(wanted)]


def _cut_off(wanted: Sequence[Token], there: Sequence[Token], first: int, last: int, text: str) -> str | None:
    """Return why the words just outside the quote forbid it: they belong to its number, its unit or its meaning."""
    before, after = there[max(0, first - 3) : first], there[last + 1 : last + 2]
    if before and before[-1].text in _ATTACHED and (there[first].is_number or not _spaced(before[-1], there[first])):
        return f"the quote begins in the middle of {text[before[-1].start : there[first].end]!r}"
    if before and before[-1].is_number and there[first].is_sign and not wanted[0].is_number:
        return f"the quote begins in the middle of {text[before[-1].start : there[first].end]!r}"
    if after and after[0].text in _ATTACHED and not _spaced(there[last], after[0]):
        return f"the quote ends in the middle of {text[there[last].start : after[0].end]!r}"
    sentence = [t for t in before if not _sentence_ends(text[t.end : there[first].start])]
    if after and not _sentence_ends(text[there[last].end : after[0].start].replace(",", ".")):
        sentence += after
    denied = next((t.text for t in sentence if _NEGATOR.fullmatch(t.text)), None)
    return f"the quote leaves out the word {denied!r} beside it" if denied else None


def _spaced(left: Token, right: Token) -> bool:
    return right.start > left.end


def _sentence_ends(between: str) -> bool:
    return any(mark in between for mark in ".;:!?\n")


def _aligned(wanted: Sequence[Token], there: Sequence[Token], text: str) -> QuoteCheck:
    missing = QuoteCheck(verified=False, why_not="these words do not stand in the evidence")
    if len(wanted) < _SHORTEST_ALIGNED or not there:
        return missing
    ours, theirs = [t.text for t in wanted], [t.text for t in there]
    refused = missing
    for first, last in _windows(ours, theirs):
        why_not = _differs(ours, theirs[first : last + 1]) or _cut_off(wanted, there, first, last, text)
        if why_not is None:
            return QuoteCheck(verified=True, start=there[first].start, end=there[last].end)
        refused = refused if refused is not missing else QuoteCheck(verified=False, why_not=why_not)
    return refused


def _differs(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Return what is different in substance between two wordings, or None."""
    slips = 0
    for ours_part, theirs_part in _unequal(ours, theirs):
        left = [t for t in ours_part if t not in _ARTICLES]
        right = [t for t in theirs_part if t not in _ARTICLES]
        if "".join(left) == "".join(right) and not any(t[0].isdigit() for t in left):
            continue
        if len(left) != len(right) or not all(map(_same_word, left, right)):
            return f"the evidence has {' '.join(right)!r} where the quote has {' '.join(left)!r}"
        slips += 1
    return "too many words differ from the evidence" if slips > max(1, int(len(ours) * _SLIPS_PER_TOKEN)) else None


def _unequal(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Return the stretches between equal tokens: a word written in two is a replacement beside a deletion."""
    stretches: list[tuple[list[str], list[str]]] = []
    apart = False
    for code in Levenshtein.opcodes(ours, theirs):
        if code.tag != "equal":
            if not apart:
                stretches.append(([], []))
            stretches[-1][0].extend(ours[code.src_start : code.src_end])
            stretches[-1][1].extend(theirs[code.dest_start : code.dest_end])
        apart = code.tag != "equal"
    return stretches


def _windows(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first and last token of the spans nearest to the quote; several may be equally near."""
    near = fuzz.partial_ratio_alignment(ours, theirs, score_cutoff=ALIGNMENT_FLOOR)
    if near is None or len(ours) > len(theirs) + _PLAY:
        return []
    spans = [
        (start, end)
        for start in range(max(0, near.dest_start - _PLAY), min(near.dest_start + _PLAY, len(theirs) - 1) + 1)
        for end in range(max(start + 1, near.dest_end - _PLAY), min(near.dest_end + _PLAY, len(theirs)) + 1)
    ]
    far = [Levenshtein.distance(ours, theirs[start:end]) for start, end in spans]
    # A last word spelt otherwise is as far as a last word left out: the span of the quote's own length comes first.
    ranked = sorted(
        (abs(end - start - len(ours)), start, end)
        for (start, end), distance in zip(spans, far, strict=True)
        if distance == min(far)
    )
    return [(start, end - 1) for _, start, end in ranked]


def _same_word(ours: str, theirs: str) -> bool:
    """Whether two words are one: British or American, or a slip inside a long word that makes no other word.

    One letter too few, too many or swapped, between the first two and the last two letters, and never one letter for
    another: afferent / efferent, nitrate / nitrite, febrile / afebrile, ileum / ilium are different words.
    """
    if ours == theirs:
        return True
    if not (ours.isalpha() and theirs.isalpha()):
        return False
    if _spelling(ours) == _spelling(theirs):
        return True
    if min(len(ours), len(theirs)) < _SHORTEST_SLIP or ours[:2] != theirs[:2] or ours[-2:] != theirs[-2:]:
        return False
    swapped = len(ours) == len(theirs) and sorted(ours) == sorted(theirs)
    return (swapped or len(ours) != len(theirs)) and DamerauLevenshtein.distance(ours, theirs, score_cutoff=1) == 1


def _spelling(word: str) -> str:
    for british, american in (
        ("ae", "e"),
        ("oe", "e"),
        ("our", "or"),
        ("yse", "yze"),
        ("isation", "ization"),
        ("ising", "izing"),
        ("ise", "ize"),
        ("tre", "ter"),
        ("ll", "l"),
        ("sulph", "sulf"),
    ):
        word = word.replace(british, american)
    return word
