"""The default segmentation: every word of a reasoning trace is in a step, however long the trace is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tracejury.traces.closing import closing_answer_start
from tracejury.traces.contracts import Segmenter
from tracejury.traces.item_marks import BULLET, ITEM
from tracejury.traces.item_places import is_lettered, item_places
from tracejury.traces.outlines import Outline, outlined, states_something
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.sentences import without_marker
from tracejury.traces.spans import SegmentLimits, Span, build, trimmed
from tracejury.traces.splitting import split_sentences

_TAG = re.compile(
    r"</?(?:(?:[a-z]{1,12}[:_])?think(?:ing)?|step|answer|reasoning|analysis|reflection)(?:\s[^<>]{0,80})?>|\[/?THINK\]|\u25c1/?think\u25b7|<\|[\w-]{2,40}\|>",
    re.I,
)
"""Marks of a template, which are no words of the trace: a step ends where one stands."""
_HEADING = re.compile(
    r"\A\s*(?:#{1,6}\s[^\n]*|[^\n]{1,80}:|(?:[-*+]\s+)?(?P<bold>\*\*|__)(?:(?!(?P=bold))[^\n]){1,100}(?<![.!?])(?P=bold):?)\s*\Z"
)
_TITLE = re.compile(r"\A[^\n]{1,80}(?<![.!?:;,\u3002\uff01\uff1f\u0964\u061f])\Z")
"""What an item says that is a heading, where a paragraph and no other item follows."""
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def letters_worth(text: str) -> int:
    """Return how many letters of an alphabet one character of `text` is worth: 3 for Chinese, Japanese and Korean."""
    letters = sum(character.isalpha() for character in text)
    return 3 if letters and len(_DENSE.findall(text)) > letters / 2 else 1


class Reasoning:
    """Numbered items, else paragraphs, with no limit on their number and nothing cut or dropped.

    Lengths are for alphabets; a character of Chinese, Japanese or Korean counts as three. A paragraph of more than
    `longest` characters is divided between sentences; one of fewer than `shortest` ("Hmm,
    wait.") and a heading go with what follows. Template marks such as think tags are no part of a step. What repeats
    the answer at the end, and reasons no more, is no step.
    """

    name = "reasoning"

    def __init__(self, longest: int = 800, shortest: int = 40) -> None:
        self.longest, self.shortest = longest, shortest

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace` into steps that together hold all that it says."""
        worth = letters_worth(trace.text)
        return self._cut(trace) if worth == 1 else Reasoning(self.longest // worth, self.shortest // worth)._cut(trace)

    def _cut(self, trace: Trace) -> Segmentation:
        closing = closing_answer_start(trace.text)
        end = len(trace.text) if closing is None else closing
        pieces: list[Span] = []
        for region in _regions(trace.text, end):
            pieces += self._region(trace.text, region)
        return build(self.name, trace, pieces, SegmentLimits(), stripped=closing is not None)

    def _region(self, text: str, region: Span) -> list[Span]:
        """Return the pieces of a part of the text that holds no template mark."""
        outline = outlined(text, region, self.longest)
        pieces = [
            part
            for block in outline.blocks
            if any(c.isalnum() for c in text[block.start : block.end])
            for part in self._divided(text, block)
        ]
        titles = _titles(text, pieces, outline)
        joined: list[Span] = []
        waiting: Span | None = None
        for piece in pieces:
            start = piece.start if waiting is None else waiting.start
            waiting = None
            # "The answer is:" and the option under it are a statement, and no heading.
            states_an_option = start < piece.start and _names_an_option(text, piece)
            if not states_an_option and (
                piece.start in titles or self._goes_with_next(text, Span(start, piece.end), outline)
            ):
                waiting = Span(start, piece.end)
            else:
                joined.append(Span(start, piece.end))
        if waiting is not None and joined and waiting.end - joined[-1].start <= self.longest:
            joined[-1] = Span(joined[-1].start, waiting.end)
        elif waiting is not None:
            joined.append(waiting)
        return [_without_item(text, piece, outline) for piece in joined]

    def _goes_with_next(self, text: str, piece: Span, outline: Outline) -> bool:
        words = text[piece.start : piece.end]
        is_item = _is_item(text, piece, outline) or (BULLET.match(words) and states_something(words))
        if is_item and not _HEADING.match(words):
            # An item of a list is a step, however short: Chinese says much in twenty characters.
            return False
        return len(words) < self.shortest or _HEADING.match(words) is not None

    def _divided(self, text: str, block: Span) -> Iterator[Span]:
        """Yield a block, or runs of its sentences where it is too long; too long a sentence is cut at a blank."""
        if block.end - block.start <= self.longest:
            yield block
            return
        start = end = block.start
        for sentence in split_sentences(text[block.start : block.end]):
            stop = block.start + sentence.end
            if end > start and stop - start > self.longest:
                yield Span(start, end)
                start = end
            while stop - start > self.longest:
                cut = max(text.rfind(" ", start + self.longest // 2, start + self.longest), start + self.longest // 2)
                yield Span(start, cut)
                start = cut
            end = stop
        if trimmed(text, start, block.end).start < block.end:
            yield Span(start, block.end)


def _is_item(text: str, piece: Span, outline: Outline) -> bool:
    end = outline.mark_ends.get(piece.start)
    if end is not None:
        return any(c.isalnum() for c in text[end : piece.end])
    return ITEM.match(text, piece.start, piece.end) is not None


def _names_an_option(text: str, piece: Span) -> bool:
    mark = ITEM.match(text, piece.start, piece.end)
    return mark is not None and is_lettered(item_places(mark[0]))


def _titles(text: str, pieces: list[Span], outline: Outline) -> set[int]:
    """Return the starts of items that head what follows: a line without a stop, and no other item before or behind."""
    titles: set[int] = set()
    in_list = False
    for piece, following in pairwise(pieces):
        if not _is_item(text, piece, outline):
            in_list = False
        elif _is_item(text, following, outline):
            in_list = True
        elif not in_list and not _names_an_option(text, piece) and _TITLE.match(text[piece.start : piece.end]):
            titles.add(piece.start)
    return titles


def _without_item(text: str, span: Span, outline: Outline) -> Span:
    """Return the span without the enumerator, list marker or heading sign that it begins with."""
    span = trimmed(text, *span)
    mark = ITEM.match(text, span.start, span.end)
    if span.start in outline.mark_ends:
        bare = Span(outline.mark_ends[span.start], span.end)
    else:
        bare = Span(mark.end(), span.end) if mark else without_marker(text, span)
    return bare if any(c.isalnum() for c in text[bare.start : bare.end]) else span


def _regions(text: str, end: int) -> Iterator[Span]:
    """Yield what stands between the template marks."""
    start = 0
    for tag in _TAG.finditer(text, 0, end):
        yield Span(start, tag.start())
        start = tag.end()
    yield Span(start, end)


def reasoning(longest: int = 800, shortest: int = 40) -> Segmenter:
    """Make the `reasoning` segmenter; lengths in characters."""
    return Reasoning(longest, shortest)
