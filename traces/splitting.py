"""Where sentences end in a chain of thought: in prose, lists, headings, formulas and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from syntok._segmentation_states import State
from syntok.segmenter import analyze

from tracejury.traces.spans import Span, trimmed

_LINE_BREAK = re.compile(r"\n\s*")
_ENUMERATOR = re.compile(
    r"[#>*_(\-\s]{0,8}(?:(?:step|option|choice)\s\w{1,3}|\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})[.:)]{1,2}[*_]{0,3}|[-*\u2022]",
    re.IGNORECASE,
)
_STOP = re.compile("[\u3002\uff01\uff1f\u0964\u061f]+[\u300d\u300f\u201d\u2019)\uff09]*")
"""Ends of sentences in Chinese, Japanese, Hindi and Arabic, which no blank need follow."""
_SURE_END = re.compile(r"\b(?P<word>[a-z]{4,})[.?] (?=(?:[A-Z][a-z]+|A|In) [a-z]{2,})")
"""Where syntok always begins a sentence: its tokenizer is slow, and most sentences of references stand between two such
places with nothing in them to look at."""
_MARKS = (State.terminals | State.opening_brackets) - {"..."}
_OPENING, _CLOSING = re.compile(f"[{re.escape(''.join(State.opening_brackets))}]"), re.compile("[)\\]}]")
_WRAPPED = 60
"""A line of this many characters that ends without a stop, before one in small letters, is taken for wrapped."""


def split_sentences(text: str) -> list[Span]:
    """Return the spans of the sentences of `text`, without the white space around them.

    A list item, a heading, a row of a table and a formula on a line of its own are sentences too: lines are split here,
    and what stands on a line by syntok. Of the libraries tried it makes the fewest mistakes on boundaries marked by
    hand, and its time grows with the length of any text (benchmarks/sentences.py). Texts that come up again, such as
    passages and vignettes, are split once.
    """
    return list(_split(text))


@lru_cache(maxsize=512)
def _split(text: str) -> tuple[Span, ...]:
    spans = [span for line in _lines(text) for span in _within(text, line)]
    return tuple(span for span in spans if span.start < span.end)


def _within(text: str, line: Span) -> Iterator[Span]:
    # Line breaks that are left inside (wrapped lines) are white space; blanking them keeps every offset.
    words = text[line.start : line.end].replace("\n", " ").replace("\r", " ")
    starts = [line.start + start for start in _starts(words)]
    ends = (line.start + match.end() for match in _STOP.finditer(words))
    starts = sorted({line.start, *starts[1:], *(end for end in ends if end < line.end)})
    for start, end in zip(starts, [*starts[1:], line.end], strict=True):
        yield trimmed(text, start, end)


def _starts(words: str) -> Iterator[int]:
    """Yield where syntok begins the sentences of a line."""
    begin = 0
    for end in [*_sure_ends(words), len(words)]:
        piece = words[begin:end]
        if _MARKS.isdisjoint(piece.rstrip()[:-1]):
            yield begin
        else:
            yield from (begin + sentence[0].offset for part in analyze(piece) for sentence in part if sentence)
        begin = end


def _sure_ends(words: str) -> Iterator[int]:
    begin = 0
    for match in _SURE_END.finditer(words):
        piece = words[begin : match.end()]
        if match["word"] not in State.abbreviations and len(_OPENING.findall(piece)) == len(_CLOSING.findall(piece)):
            yield match.end()
            begin = match.end()


def _lines(text: str) -> list[Span]:
    """Return the lines of `text`, wrapped ones joined, and an enumerator on a line of its own with what it numbers."""
    cuts = [0]
    for match in _LINE_BREAK.finditer(text):
        line = text[cuts[-1] : match.start()].strip()
        blank = match.group().count("\n") > 1
        after = text[match.end() : match.end() + 1]
        wrapped = not blank and len(line) >= _WRAPPED and line[-1] not in ".!?:;|" and after.islower()
        if line and not wrapped and not (len(line) < 20 and _ENUMERATOR.fullmatch(line)):
            cuts.append(match.end())
    return [Span(a, b) for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]
