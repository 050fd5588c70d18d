"""What a sentence of a step is: a statement, or a question, a plan or a heading that states nothing.

The doubtful is a statement: a heading with a verb or a judgement in it, a question that presupposes something, a plan
that gives its reason. What is left out by mistake would be judged by nobody.
"""

from __future__ import annotations

import re

from tracejury.agents.claims.parts import Kind, Part
from tracejury.agents.claims.plans import OPTION_NAMED, begins_plan, is_plan
from tracejury.agents.claims.questions import parts_of_question
from tracejury.agents.claims.verbs import ends_open, may_state, states
from tracejury.agents.claims.words import content_words, qualified
from tracejury.traces import Span

_MARKER = re.compile(
    r"(?:[\s#>*_\u2022|,;:.)\]\u2013\u2014-]+|\\n|(?:step|option|choice)?\s*\d{1,2}\s*[.):](?=\s|\*|$)"
    r"|(?-i:[A-J])\.(?=\s+(?-i:[A-Z]))|\(?(?:[a-z]|[ivx]{1,4})\)(?=\s)|step\s*\d{1,3}\s*[-:.)\u2013]*(?=\s|\*|$))+",
    re.I,
)
_CLOSING_MARKUP = re.compile(r"[\s*_#|>]+$")
_ANSWERS = re.compile(
    r"^(?:the\s)?(?:(?:final|correct|best|right|most likely|most appropriate)\s)*(?:solution|answers?"
    r"|conclusion|diagnosis|choice|option)s?"
    r"(?:\sis)?$",
    re.I,
)
_CONCLUDES = re.compile(
    r"(?:the\s)?(?:(?:final|correct|best|right|most likely|most appropriate)\s)*(?:solution|answers?"
    r"|conclusion|diagnosis"
    r"|choice|option)s?\s*(?:is|:|=)[\s*_]*\S",
    re.I,
)
_EVALUATES = re.compile(
    r"\b(?:safe\w*|unsafe|harm\w*|danger\w*|contraindicat\w*|recommend\w*|indicated|preferred|true"
    r"|correct|right|wrong"
    r"|first[- ]line|effective|ineffective|best|treat(?:ed|s)? (?:with|by)|caus(?:ed|es)? by|due to"
    r"|allowed|forbidden|ok(?:ay)?"
    r"|useful|useless|normal|abnormal|elevated|toxic|fatal|beneficial|appropriate|inappropriate"
    r"|diagnostic of|gives?|give)\b",
    re.I,
)
_PRONOUN = re.compile(r"(?:this|it|these|they|that|he|she)\b", re.I)
_LABEL = re.compile(r"^(?P<label>[^:.;?!]{2,90}?)\s*:(?=[\s*_]|$)[\s*_]*", re.S)


def parts_of(text: str, start: int, end: int) -> list[Part]:
    """Say what a sentence, `text[start:end]`, consists of.

    Returns:
        Its parts in order, markers left out: one statement, or one that states nothing, or a question or lead-in beside
        a statement.
    """
    raw = text[start:end]
    heading = raw.lstrip().startswith("#") or bool(re.fullmatch(r"\s*(?:\*\*|__)[^*]+(?:\*\*|__):?\s*", raw))
    listed = bool(re.match(r"\s*(?:[-*\u2022]\s|\d{1,2}[.)]\s)", raw)) and not heading
    span = _bare(text, start, end)
    marker = [Part(Span(start, span.start), Kind.DEBRIS)] if span.start > start else []
    return [*marker, *_parts(text, span, heading, listed)]


def _parts(text: str, span: Span, heading: bool, listed: bool) -> list[Part]:
    words = text[span.start : span.end]
    if not content_words(words):
        return [Part(span, Kind.DEBRIS)] if words else []
    if words.rstrip("\"'\u201d\u2019)*_ ").endswith("?"):
        return parts_of_question(text, span)
    label = _LABEL.match(words)
    if label and not states(label["label"]) and not _ANSWERS.search(label["label"].strip("*_ ")):
        return _labelled(text, span, label, heading)
    return [Part(span, _kind(words, heading, listed))]


def _bare(text: str, start: int, end: int) -> Span:
    marker = _MARKER.match(text, start, end)
    if marker:
        start = marker.end()
    closing = _CLOSING_MARKUP.search(text, start, end)
    return Span(start, closing.start() if closing else end)


def _kind(words: str, heading: bool, listed: bool) -> Kind:
    if _CONCLUDES.match(words):
        return Kind.STATEMENT
    if begins_plan(words):
        return Kind.PLAN if is_plan(words) else Kind.STATEMENT
    if states(words) or _states_without_verb(words) or _leads_in(words) or "|" in words:
        return Kind.STATEMENT
    if heading and may_state(words):
        return Kind.STATEMENT
    bare_option = OPTION_NAMED.match(words) and not words.rstrip().endswith(".")
    if heading or bare_option:
        return Kind.HEADING
    closed = words.rstrip("\"'*_) ").endswith((".", "!", ";"))
    return Kind.STATEMENT if listed or closed or len(content_words(words)) > 6 else Kind.HEADING


def _leads_in(words: str) -> bool:
    """Tell whether a lead-in is the beginning of a sentence: `The causes of gout include:`."""
    return words.endswith(":") and ends_open(words)


def _states_without_verb(words: str) -> bool:
    return bool(_EVALUATES.search(words) or re.search(r"\d", OPTION_NAMED.sub("", words)) or qualified(words))


def _labelled(text: str, span: Span, label: re.Match[str], heading: bool) -> list[Part]:
    """Part a lead-in from what it leads to; one that judges, or has nothing but words after it, stays with it."""
    title = label["label"].strip("*_ ")
    rest = Span(span.start + label.end(), span.end)
    after = text[rest.start : rest.end]
    plan = begins_plan(title) or bool(OPTION_NAMED.match(title))
    if not content_words(after):
        kind = Kind.PLAN if plan else _kind(title + ":", True, False)
        return [Part(span, kind)]
    judges = bool(_EVALUATES.search(title)) or (qualified(title) and not plan)
    lead = Part(Span(span.start, span.start + label.end("label")), Kind.PLAN if plan else Kind.HEADING)
    inner = parts_of(text, rest.start, rest.end)
    if _PRONOUN.match(text, rest.start) and states(after) and not after.endswith("?"):
        return [Part(span, Kind.STATEMENT)]  # `Ganciclovir: this is an antiviral`
    if not judges and any(part.kind is not Kind.HEADING for part in inner):
        verbless = not states(after) and any(part.kind is Kind.STATEMENT for part in inner)
        if not verbless:
            return [lead, *inner]
    if OPTION_NAMED.search(title) and not states(after) and not _EVALUATES.search(after):
        return [Part(span, Kind.HEADING)]
    if heading and not judges and not states(after) and not _states_without_verb(after):
        return [Part(span, Kind.HEADING)]
    return [Part(span, Kind.STATEMENT)]
