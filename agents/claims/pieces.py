"""What a step is cut into before clauses: sentences, strings of embedded JSON, vignette sentences that it repeats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tracejury.agents.claims.words import content_words
from tracejury.traces import Span, split_sentences

_JSON = re.compile(r"[{\[]\s*(?:\\?\"[^\"\n]{1,40}\\?\"\s*:|[{\[])")
_STRING = re.compile(r"\\?\"((?:[^\"\\]|\\(?!\").)*)\\?\"", re.S)
_JSON_MARK = re.compile(r"[{}\[\]\":,\\]|\b(?:true|false|null)\b|(?<=:)\s*-?\d+(?:\.\d+)?(?=\s*[,}\]])")
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|p|br|hr|ul|ol|li|div|span|h[1-6]|code|pre|sub|sup|table|tr|td|th|think|answer|step)\s*/?>|```\w*",
    re.I,
)
_QUOTED = re.compile(r"\"([^\"]{20,})\"|\u201c([^\u201d]{20,})\u201d", re.S)
_TITLE = re.compile(r"\b(?:Dr|Mrs?|Ms|Prof|St|vs|e\.g|i\.e|cf|approx|Fig|Eq|Ref)\.$")
_WHOLE_SENTENCE = 4
"""Words of content from which on a repeated sentence is cut out as a piece of its own."""


def pieces(step: str, earlier: Sequence[str]) -> list[Span]:
    """Cut a step into pieces, in order and without overlap.

    A judge's reply that stands in the step is taken apart, and a whole sentence of `earlier` texts that the step
    repeats is a piece of its own wherever it stands: a true sentence must not carry a wrong one.

    Args:
        step: The step.
        earlier: Texts that a step may repeat: vignette, earlier steps.

    Returns:
        Spans of the step, trimmed. Brackets and tags are in none.
    """
    plain, values = _plain(step)
    cuts = sorted({*_repeated(step, earlier), *values, *_quoted(plain)})
    spans: list[Span] = []
    for span in cuts:
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    between = list(_between(spans, len(plain)))
    return sorted(span for part in (*spans, *between) for span in _sentences(plain, part))


def tags(step: str) -> list[Span]:
    """Return the spans of tags without attributes and of code fences."""
    return [Span(*m.span()) for m in _TAG.finditer(step)]


def _plain(step: str) -> tuple[str, list[Span]]:
    """Return the step with tags and JSON blanked but for JSON's strings, whose spans are returned too."""
    out, values = list(step), []
    for start, end in tags(step):
        out[start:end] = " " * (end - start)
    at = 0
    while match := _JSON.search(step, at):
        at = _closing(step, match.start())
        end = match.start()
        for string in _STRING.finditer(step, match.start(), at):
            out[end : string.start(1)] = _unmarked(step[end : string.start(1)])
            values.append(Span(string.start(1), string.end(1)))
            end = string.end(1)
        out[end:at] = _unmarked(step[end:at])
    return "".join(out), values


def _unmarked(text: str) -> str:
    """Blank marks and literals of JSON; other words between its strings are the step's."""
    return _JSON_MARK.sub(lambda mark: " " * len(mark[0]), text)


def _closing(text: str, start: int) -> int:
    """Return the end of the bracket that opens at `start`; the end of the text where it is never closed."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "{[") - (text[at] in "}]")
        if depth == 0:
            return at + 1
    return len(text)


def _quoted(text: str) -> Iterator[Span]:
    for match in _QUOTED.finditer(text):
        span = Span(*match.span(1 if match[1] is not None else 2))
        if len(content_words(text[span.start : span.end])) >= _WHOLE_SENTENCE and text[span.end - 1] in ".!?":
            yield span


def _repeated(step: str, earlier: Sequence[str]) -> Iterator[Span]:
    folded = step.lower()
    for text in earlier:
        for span in split_sentences(text):
            sentence = text[span.start : span.end]
            if len(content_words(sentence)) < _WHOLE_SENTENCE or sentence.split()[0].lower() not in folded:
                continue
            spaced = r"\s+".join(map(re.escape, sentence.lower().rstrip(".").split()))
            yield from (Span(*m.span()) for m in re.finditer(spaced + r"\.?", folded) if len(folded) == len(step))


def _between(spans: Sequence[Span], length: int) -> Iterator[Span]:
    at = 0
    for span in spans:
        yield Span(at, span.start)
        at = span.end
    yield Span(at, length)


def _sentences(text: str, part: Span) -> Iterator[Span]:
    begins: int | None = None
    for span in split_sentences(text[part.start : part.end]):
        start, end = part.start + span.start if begins is None else begins, part.start + span.end
        # The benchmarked splitter ends a sentence after a title at the start of a text.
        begins = start if _TITLE.search(text, start, end) and end < part.end else None
        if begins is None:
            yield Span(start, end)
