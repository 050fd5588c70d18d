"""Sentence boundaries with offsets, for clinical prose, lists and headings."""

from __future__ import annotations

import re

# A full stop after one of these ends no sentence: a number or a name follows.
_ABBREVIATION = re.compile(
    r"e\.g|i\.e|vs|dr|mrs?|ms|prof|st|nos?|figs?|eq|refs?|approx|ca|cf|al|etc|jan|feb|mar|apr|ju[nl]|aug|sept?|oct|nov|dec"
    r"|inc|ltd|co|dept|vol|pp|eds?",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"\n[ \t]*(?=\n)|\n(?=[ \t]*(?:[-*•◦▪#>|]|\d{1,2}[.)])[ \t]*)"  # blank lines; list items, headings, table rows
    r"|(?<=[.!?])[\"'\u201d\u2019)\]]*(?=\s)|\n\s*\n"
)
_LAST_WORD = re.compile(r"([\w.]+)\.[\"'\u201d\u2019)\]]*$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Cut `text` into sentences, list items, headings and table rows.

    Args:
        text: Any text.

    Returns:
        Pairs (start, end) in order, trimmed of white space, which together hold everything but white space.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if not _ends_sentence(text, start, match.end()):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _ends_sentence(text: str, start: int, end: int) -> bool:
    if "\n" in text[max(start, end - 1) : end] or text[end : end + 1] == "\n":
        return True
    word = _LAST_WORD.search(text, max(start, end - 40), end)
    if word and (_ABBREVIATION.fullmatch(word[1]) or (len(word[1]) == 1 and word[1].isupper())):
        return False
    rest = text[end : end + 8].lstrip()
    return not rest[:1].islower()


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))
