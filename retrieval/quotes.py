"""Whether a quote stands in its evidence, word for word, and where.

A judge may cite only words that are there. Unicode forms, white space, hyphenation, markup and letter case may differ;
beyond that an alignment forgives articles, spelling variants and slips inside long words, and nothing else: a number,
a unit, a negation, a drug or any other word that differs is a different statement. `docs/grounding.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein, Levenshtein

from tracejury.retrieval.left_out import turned
from tracejury.retrieval.quote_edges import cut_off, other_punctuation, other_units
from tracejury.retrieval.quote_tokens import Token, quote_tokens, unspaced_characters
from tracejury.traces import Record

ALIGNMENT_FLOOR = 70.0
"""Similarity in per cent (of tokens, Indel) below which two wordings are not compared token by token."""
_SLIPS_PER_TOKEN = 1 / 8
_SHORTEST_ALIGNED = 6
_SHORTEST_SLIP = 8
# The aligner's window is as long as the quote; articles and split words make the true span a little longer or shorter.
_PLAY = 3


class QuoteCheck(Record):
    """The result of a check. `start` and `end` are offsets into the evidence's original text."""

    verified: bool
    start: int | None = None
    end: int | None = None
    why_not: str | None = None


# Judges of a step, and steps of a trace, cite the same sentences.
@lru_cache(maxsize=2048)
def check_quote(quote: str, text: str) -> QuoteCheck:
    """Look for `quote` in `text`.

    Args:
        quote: What a judge says stands there.
        text: The evidence, as it is.

    Returns:
        Verified with offsets, or why not. A quote that leaves out something (`...`) is not verified: what is left out
        may be a negation.
    """
    quoted = quote_tokens(quote)
    if _too_short(quoted):
        return QuoteCheck(verified=False, why_not="too short: quote at least two words")
    there = quote_tokens(text)
    cut = None
    for first in _occurrences([t.text for t in quoted], [t.text for t in there]):
        last = first + len(quoted) - 1
        cut = _differs_in_place(quote, quoted, text, there, (first, last))
        if cut is None:
            return QuoteCheck(verified=True, start=there[first].start, end=there[last].end)
    if cut is not None:
        return QuoteCheck(verified=False, why_not=cut)
    if "..." in quote.strip(" .") or "…" in quote.strip(" …"):
        return QuoteCheck(verified=False, why_not="the quote leaves words out; quote one unbroken passage")
    return _aligned(quote, quoted, text, there)


def _too_short(quoted: Sequence[Token]) -> bool:
    if characters := unspaced_characters(quoted):
        return characters < 4
    return len(quoted) < 2 or not any(len(t.text) > 3 or t.is_number for t in quoted)


def _differs_in_place(
    quote: str, quoted: Sequence[Token], text: str, there: Sequence[Token], place: tuple[int, int]
) -> str | None:
    """Return why words that stand there all the same state something else there, or None."""
    first, last = place
    same = text[there[first].start : there[last].end]
    return (
        cut_off(quoted, there, first, last, text)
        or other_units(quote, same)
        or other_punctuation(quote, quoted, text, there[first : last + 1])
        or turned(text, there[first].start, there[last].end)
    )


def _occurrences(quoted: Sequence[str], there: Sequence[str]) -> list[int]:
    head, n = quoted[0], len(quoted)
    return [i for i in range(len(there) - n + 1) if there[i] == head and list(there[i : i + n]) == list(quoted)]


def _aligned(quote: str, quoted: Sequence[Token], text: str, there: Sequence[Token]) -> QuoteCheck:
    missing = QuoteCheck(verified=False, why_not="these words do not stand in the evidence")
    if len(quoted) < _SHORTEST_ALIGNED or not there:
        return missing
    ours, theirs = [t.text for t in quoted], [t.text for t in there]
    refused = missing
    for first, last in _windows(ours, theirs):
        why_not = _differs(quoted, there[first : last + 1]) or _differs_in_place(
            quote, quoted, text, there, (first, last)
        )
        if why_not is None:
            return QuoteCheck(verified=True, start=there[first].start, end=there[last].end)
        refused = refused if refused is not missing else QuoteCheck(verified=False, why_not=why_not)
    return refused


def _differs(ours: Sequence[Token], theirs: Sequence[Token]) -> str | None:
    """Return what is different in substance between two wordings, or None."""
    slips = 0
    for ours_part, theirs_part in _unequal(ours, theirs):
        left = [t.text for t in ours_part if not t.is_article]
        right = [t.text for t in theirs_part if not t.is_article]
        if "".join(left) == "".join(right) and not any(t[0].isdigit() for t in left):
            continue
        if len(left) != len(right) or not all(map(_same_word, left, right)):
            return f"the evidence has {' '.join(right)!r} where the quote has {' '.join(left)!r}"
        slips += 1
    return "too many words differ from the evidence" if slips > max(1, int(len(ours) * _SLIPS_PER_TOKEN)) else None


def _unequal(ours: Sequence[Token], theirs: Sequence[Token]) -> list[tuple[list[Token], list[Token]]]:
    """Return the stretches between equal tokens: a word written in two is a replacement beside a deletion."""
    stretches: list[tuple[list[Token], list[Token]]] = []
    apart = False
    for code in Levenshtein.opcodes([t.text for t in ours], [t.text for t in theirs]):
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
