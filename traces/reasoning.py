"""The default segmentation: every word of a reasoning trace is in a step, however long the trace is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tracejury.traces.closing import closing_answer_start
from tracejury.traces.contracts import Segmenter
from tracejury.traces.item_marks import BULLET, ITEM, ITEM_OF_A_DOSE, is_lettered, item_number
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.sentences import without_marker
from tracejury.traces.spans import SegmentLimits, Span, build, trimmed
from tracejury.traces.splitting import split_sentences

_TAG = re.compile(
    r"</?(?:(?:[a-z]{1,12}[:_])?think(?:ing)?|step|answer|reasoning|analysis|reflection)(?:\s[^<>]{0,80})?>|\[/?THINK\]|\u25c1/?think\u25b7|<\|[\w-]{2,40}\|>",
    re.I,
)
"""Marks of a template, which are no words of the trace: a step ends where one stands."""
_BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)\s*")
_ENDS_A_SENTENCE = re.compile(r"[.!?:;\u3002\uff01\uff1f\uff1b)\]\"'*_`|$>]\s*\Z")
_CODE = re.compile(r"```[^`]{0,20000}```")
_POINT = re.compile(r"\A.{30}.*[.!?](?:[)\"'*]{0,3})\Z|\A.{10}.*[\u3002\uff01\uff1f\u0964]\Z", re.DOTALL)
"""A bullet that states something: a word or two after a bullet belong to the paragraph."""
_HEADING = re.compile(r"\A\s*(?:#{1,6}\s[^\n]*|[^\n]{1,80}:)\s*\Z")


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
        pieces = [
            part
            for block in _blocks(text, region)
            if any(c.isalnum() for c in text[block.start : block.end])
            for part in self._divided(text, block)
        ]
        joined: list[Span] = []
        waiting: Span | None = None
        for piece in pieces:
            start = piece.start if waiting is None else waiting.start
            waiting = None
            if self._goes_with_next(text, Span(start, piece.end)):
                waiting = Span(start, piece.end)
            else:
                joined.append(Span(start, piece.end))
        if waiting is not None and joined and waiting.end - joined[-1].start <= self.longest:
            joined[-1] = Span(joined[-1].start, waiting.end)
        elif waiting is not None:
            joined.append(waiting)
        return [without_item(text, piece) for piece in joined]

    def _goes_with_next(self, text: str, piece: Span) -> bool:
        words = text[piece.start : piece.end]
        is_item = ITEM.match(text, piece.start, piece.end) or (BULLET.match(words) and _POINT.search(words))
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


def without_item(text: str, span: Span) -> Span:
    """Return the span without the enumerator, list marker or heading sign that it begins with."""
    span = trimmed(text, *span)
    mark = ITEM.match(text, span.start, span.end)
    bare = Span(mark.end(), span.end) if mark else without_marker(text, span)
    return bare if any(c.isalnum() for c in text[bare.start : bare.end]) else span


def _regions(text: str, end: int) -> Iterator[Span]:
    """Yield what stands between the template marks."""
    start = 0
    for tag in _TAG.finditer(text, 0, end):
        yield Span(start, tag.start())
        start = tag.end()
    yield Span(start, end)


def _blocks(text: str, region: Span) -> Iterator[Span]:
    """Yield numbered items and paragraphs; a number that a wrapped line begins with is no item."""
    cuts = {region.start, *(m.end() for m in _BLANK_LINE.finditer(text, region.start, region.end))}
    doses = [
        m for m in ITEM_OF_A_DOSE.finditer(text, region.start, region.end) if _begins_an_item(text, region, m.start())
    ]
    code = [fence.span() for fence in _CODE.finditer(text, region.start, region.end)]
    marks = [*ITEM.finditer(text, region.start, region.end), *doses]
    items = [
        mark
        for mark in sorted(marks, key=lambda mark: mark.start())
        if not any(start <= mark.start() < end for start, end in code)
    ]
    listed = _in_sequence(items)
    cuts |= {m.start() for m in items if m.start() in listed or (m not in doses and _stands_alone(text, region, m))}
    if not items:
        cuts |= _bullets(text, region)
    ordered = sorted(cuts)
    for start, stop in zip(ordered, [*ordered[1:], region.end], strict=True):
        block = trimmed(text, start, stop)
        if block.start < block.end:
            yield block


def _bullets(text: str, region: Span) -> set[int]:
    """Return the starts of bullets where two or more stand at the left margin, and each is a sentence or more."""
    starts = [mark.start() for mark in BULLET.finditer(text, region.start, region.end)]
    points = [text[start:stop].strip() for start, stop in pairwise([*starts, region.end])]
    return set(starts) if len(points) > 1 and all(_POINT.search(point) for point in points) else set()


def _in_sequence(items: Sequence[re.Match[str]]) -> set[int]:
    """Return the starts of items that count on from the one before: a list, with or without full stops."""
    numbered = [(item.start(), number) for item in items if (number := item_number(item[0])) is not None]
    starts: set[int] = set()
    for (before, number), (start, following) in pairwise(numbered):
        if following == number + 1:
            starts |= {before, start}
    return starts


def _stands_alone(text: str, region: Span, mark: re.Match[str]) -> bool:
    return not is_lettered(mark[0]) and _begins_an_item(text, region, mark.start())


def _begins_an_item(text: str, region: Span, start: int) -> bool:
    """Whether a number at the beginning of a line is an enumerator: what stands before it has come to an end."""
    before = text[region.start : start].rstrip()
    end = region.start + len(before)
    ends = _ENDS_A_SENTENCE.search(before) is not None or _BLANK_LINE.search(text, end, start) is not None
    return not before or ends


def reasoning(longest: int = 800, shortest: int = 40) -> Segmenter:
    """Make the `reasoning` segmenter; lengths in characters."""
    return Reasoning(longest, shortest)
