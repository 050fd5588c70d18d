"""Questions: what they ask, and what they state beside it or take for granted."""

from __future__ import annotations

import re

from tracejury.agents.claims.parts import Kind, Part
from tracejury.agents.claims.verbs import begins_with_verb, finite_verbs, states
from tracejury.agents.claims.words import content_words
from tracejury.traces import Span

_ASKS = re.compile(
    r"(?:what|which|who|whom|whose|when|where|how|why|is|are|was|were|do|does|did|can|could|should|would"
    r"|will|may|might|has"
    r"|have|had|in which|for which|of which|by what|to what)\b",
    re.I,
)
_LOADED = re.compile(r"why\b|how come\b|\w+n['\u2019]t\b|\w+ \w+ not\b", re.I)
"""Questions that state what they ask: `why is aspirin safe?`, `isn't it safe?`."""
_TAG = re.compile(
    r",\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might)(?:n['\u2019]t)?\s+"
    r"(?:it|he|she|they|we|you|this|that|these|those|there)(?:\s+not)?\s*\?|"
    r"[,;\u2013\u2014-]\s*(?:right|correct|true|yes|no|agreed|of course|surely|okay|ok|eh)\s*\?",
    re.I,
)
"""What makes a question of a statement at its end: `aspirin is safe, is it not?`."""
_PRESUPPOSES = re.compile(r"\b(?:since|because|given that|as|although|though|while|now that|considering that)\s", re.I)


def parts_of_question(text: str, span: Span) -> list[Part]:
    """Part a question, `text[span]`, from the statements in it.

    `Since aspirin is safe, what should we give?` takes something for granted; `why is it safe?`, `isn't it safe?` and
    `it is safe?` state what they ask.
    """
    words = text[span.start : span.end]
    if (tag := _TAG.search(words)) and content_words(words[: tag.start()]):
        return [Part(span, Kind.STATEMENT)]
    cut = _asking_from(words)
    parts = []
    if cut > 0:
        before = Span(span.start, span.start + len(words[:cut].rstrip(" ,;-")))
        parts.append(Part(before, Kind.STATEMENT))
    begins = span.start + max(cut, 0)
    question_text = text[begins : span.end]
    presupposed = _PRESUPPOSES.search(question_text, 1)
    if presupposed and states(question_text[presupposed.end() :]):
        first = question_text[: presupposed.start()]
        kind = Kind.STATEMENT if _LOADED.match(first) or _says_that(first) else Kind.QUESTION
        parts.append(Part(Span(begins, begins + presupposed.start()), kind))
        parts.append(Part(Span(begins + presupposed.end(), span.end), Kind.STATEMENT))
    elif cut < 0 or _LOADED.match(question_text) or _says_that(question_text):
        parts.append(Part(Span(begins, span.end), Kind.STATEMENT))
    else:
        parts.append(Part(Span(begins, span.end), Kind.QUESTION))
    return parts


def _says_that(question_text: str) -> bool:
    """Tell whether a question carries a statement: `who would deny that aspirin is safe?`."""
    that = re.search(r"\bthat\s+", question_text)
    return (
        that is not None and states(question_text[that.end() :]) and not begins_with_verb(question_text[that.end() :])
    )


def _asking_from(words: str) -> int:
    """Return where the question proper begins; -1 where nothing asks, as in `It is safe?`."""
    opening = re.match(r"(?:so|and|but|or|then|now|well|okay|thus|therefore|hence)?,?\s*", words, re.I)
    begin = opening.end() if opening else 0
    if re.match(r"\w+n['\u2019]t\b", words[begin:]) or _ASKS.match(words, begin):
        return begin if begin == 0 else 0
    for mark in re.finditer(r"[,;:\u2013\u2014-]\s+(?:(?:so|and|but|or|then)\s+)?", words):
        if _ASKS.match(words, mark.end()):
            before = words[: mark.start()]
            # `In this patient, what is next?` has an adverbial before it, not a statement.
            return mark.end() if finite_verbs(before) else 0
    return -1 if states(words) else 0
