"""What a sentence of a step is: a statement, or a question, a plan or a heading that states nothing.

The doubtful is a statement: a heading with a verb or a judgement in it, a question that presupposes something, a plan
that gives its reason. What is left out by mistake would be judged by nobody.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from tracejury.agents.claims.verbs import begins_with_verb, ends_open, finite_verbs, may_state, states
from tracejury.agents.claims.words import content_words, qualified
from tracejury.traces import Span


class Kind(StrEnum):
    """What a part of a step is."""

    STATEMENT = "statement"
    QUESTION = "question"
    PLAN = "plan"
    HEADING = "heading"
    DEBRIS = "debris"
    """Markers, brackets, connectives: no words of content."""


class Part(NamedTuple):
    """A part of a sentence."""

    span: Span
    kind: Kind


_MARKER = re.compile(
    r"(?:[\s#>*_\u2022|,;:.)\]\u2013\u2014-]+|\\n|(?:step|option|choice)?\s*\d{1,2}\s*[.):](?=\s|\*|$)"
    r"|(?-i:[A-J])\.(?=\s+(?-i:[A-Z]))|\(?(?:[a-z]|[ivx]{1,4})\)(?=\s)|step\s*\d{1,3}\s*[-:.)\u2013]*(?=\s|\*|$))+",
    re.I,
)
_CLOSING_MARKUP = re.compile(r"[\s*_#|>]+$")
_OPTION = r"(?:choices?|options?|answers?)[\s_]*\(?[A-J]\)?(?![a-z])|\b[A-J]\)"
_OPTION_NAMED = re.compile(_OPTION, re.I)
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
_TIMING = re.compile(r"\(\d+(?:\.\d+)? (?:sec|min)\w*\)")
_EVALUATES = re.compile(
    r"\b(?:safe\w*|unsafe|harm\w*|danger\w*|contraindicat\w*|recommend\w*|indicated|preferred|true"
    r"|correct|right|wrong"
    r"|first[- ]line|effective|ineffective|best|treat(?:ed|s)? (?:with|by)|caus(?:ed|es)? by|due to"
    r"|allowed|forbidden|ok(?:ay)?"
    r"|useful|useless|normal|abnormal|elevated|toxic|fatal|beneficial|appropriate|inappropriate"
    r"|diagnostic of|gives?|give)\b",
    re.I,
)
_ACTS = (
    "analy[sz]|evaluat|consider|review|identif|compar|examin|assess|determin|understand|look|recall|list"
    ""
    "|check|think|discuss|interpret|recogni[sz]|focus|summari[sz]|clarif|calculat|defin|explain"
    "|explor"
    "|break down|find|reason|go over|see|figure|narrow|verif|know|remember|note|integrat"
    "|synthesi[sz]|correlat"
    "|associat|justif|describ|(?:start|begin|work|proceed)(?:ing)? (?:by|with|through)"
)
_DECIDES = re.compile(
    r"(?:(?:eliminat|select|conclud|decid|choos|pick|exclud)(?:e|ing)?|rul(?:e|ing) out|answer(?:ing)?)\b(?!:)", re.I
)
_UNDECIDED = re.compile(
    r"\b(?:choices|options|answers?|candidates?|diagnos[ie]s|causes|conditions|possibilit\w+|analysis|solution|decision"
    r"|which|what|whether|how)\b",
    re.I,
)
_ADVISES = re.compile(
    r"\b(?:consider\w*|about|recommend\w*|suggest\w*)\s+(?:giv|start|add|administer|us|stopp|withhold|prescrib|treat|switch"
    r"|increas|reduc|discontinu|perform|order|repeat)ing\b",
    re.I,
)
_ACT = rf"(?:{_ACTS})(?:e|y|ing|ying|ning)?"
_PLAN = re.compile(
    r"^(?:(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|now|finally|lastly|so|okay|ok|well"
    r"|to begin(?: with)?|to start"
    r"|in this step|here|and),?\s+)*"
    r"(?:to (?!be\b)[^,]{3,120}, (?=(?:we|i|let)\b))?"
    rf"(?:let(?:['\u2019]s| us| me)\s+(?:now |first |next |also |then )*\w+"
    rf"|(?:we|i)(?:['\u2019]ll| will| shall| need to| have to| should| must| can| are going to"
    rf"| am going to| want to| would)"
    rf"\s+(?:now |first |next |also |then |carefully )*{_ACT}\b"
    rf"|the (?:(?:first|next|second|last|best|final) )?(?:thing|step|task)"
    rf"(?: (?:that )?(?:we|i) (?:need|have|want) to do)? is to {_ACT}\b"
    rf"|{_ACT}\b)",
    re.I,
)
_ASIDE = re.compile(r"^(?:note|recall|remember|recogni[sz]e|understand|know|see|assume|given)\b(?:\s+that)?", re.I)
_ASKS = re.compile(
    r"(?:what|which|who|whom|whose|when|where|how|why|is|are|was|were|do|does|did|can|could|should|would"
    r"|will|may|might|has"
    r"|have|had|in which|for which|of which|by what|to what)\b",
    re.I,
)
_LOADED = re.compile(r"why\b|how come\b|\w+n['\u2019]t\b|\w+ \w+ not\b", re.I)
"""Questions that state what they ask: `why is aspirin safe?`, `isn't it safe?`."""
_PRESUPPOSES = re.compile(r"\b(?:since|because|given that|as|although|though|while|now that|considering that)\s", re.I)
_INDIRECT = re.compile(r"(?<![,;(] )(?<!\()\b(?:which|what|whether|how|why|who|where|if|when)\b[^,;.]*", re.I)
_THOSE_THAT = re.compile(
    r"\b(?:options?|choices?|disorders?|conditions?|diseases?|drugs?|medications?|diagnos[ei]s|causes?|factors?|mechanisms?"
    r"|findings?|symptoms?|possibilit\w+|treatments?|tests?|things?|features?|criteria)\s+(?:that|which)\b[^,;.]*",
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
        return _question(text, span)
    label = _LABEL.match(words)
    if label and not states(label["label"]) and not _ANSWERS.search(label["label"].strip("*_ ")):
        return _labelled(text, span, label, heading)
    return [Part(span, _kind(words, heading, listed))]


def is_plan(words: str) -> bool:
    """Tell whether a clause says what will be looked at, and states nothing."""
    return bool(_PLAN.match(words)) and not _states_beyond_plan(words)


def _bare(text: str, start: int, end: int) -> Span:
    marker = _MARKER.match(text, start, end)
    if marker:
        start = marker.end()
    closing = _CLOSING_MARKUP.search(text, start, end)
    return Span(start, closing.start() if closing else end)


def _kind(words: str, heading: bool, listed: bool) -> Kind:
    if _CONCLUDES.match(words):
        return Kind.STATEMENT
    if _DECIDES.match(words):
        undecided = _UNDECIDED.search(words) and not _OPTION_NAMED.search(words)
        return Kind.PLAN if undecided and not _states_beyond_plan(words) else Kind.STATEMENT
    if _PLAN.match(words):
        return Kind.PLAN if is_plan(words) else Kind.STATEMENT
    if states(words) or _states_without_verb(words) or _leads_in(words) or "|" in words:
        return Kind.STATEMENT
    if heading and may_state(words):
        return Kind.STATEMENT
    bare_option = _OPTION_NAMED.match(words) and not words.rstrip().endswith(".")
    if heading or bare_option:
        return Kind.HEADING
    closed = words.rstrip("\"'*_) ").endswith((".", "!", ";"))
    return Kind.STATEMENT if listed or closed or len(content_words(words)) > 6 else Kind.HEADING


def _leads_in(words: str) -> bool:
    """Tell whether a lead-in is the beginning of a sentence: `The causes of gout include:`."""
    return words.endswith(":") and ends_open(words)


def _states_without_verb(words: str) -> bool:
    return bool(_EVALUATES.search(words) or re.search(r"\d", _OPTION_NAMED.sub("", words)) or qualified(words))


def _states_beyond_plan(words: str) -> bool:
    """Tell whether a plan carries a statement: `eliminate choice A because it is teratogenic`."""
    plan = _PLAN.match(words)
    aside = _ASIDE.match(words)
    rest = words[plan.end() :] if plan else words
    if aside:
        # `Note the low calcium`: what is noted is stated.
        rest = words[aside.end() :]
        if re.search(r"\bthat$", aside[0]) or re.search(r"\d", rest):
            return True
    if _ADVISES.search(words):
        return True
    rest = _THOSE_THAT.sub(" ", rest)
    rest = _INDIRECT.sub(" ", _TIMING.sub("", rest))
    return states(rest) or bool(re.search(r"\d", _OPTION_NAMED.sub("", rest)))


def _question(text: str, span: Span) -> list[Part]:
    words = text[span.start : span.end]
    cut = _asking_from(words)
    parts = []
    if cut > 0:
        before = Span(span.start, span.start + len(words[:cut].rstrip(" ,;-")))
        parts.append(Part(before, Kind.STATEMENT))
    begins = span.start + max(cut, 0)
    asked = text[begins : span.end]
    presupposed = _PRESUPPOSES.search(asked, 1)
    if presupposed and states(asked[presupposed.end() :]):
        parts.append(Part(Span(begins, begins + presupposed.start()), Kind.QUESTION))
        parts.append(Part(Span(begins + presupposed.end(), span.end), Kind.STATEMENT))
    elif cut < 0 or _LOADED.match(asked) or _says_that(asked):
        parts.append(Part(Span(begins, span.end), Kind.STATEMENT))
    else:
        parts.append(Part(Span(begins, span.end), Kind.QUESTION))
    return parts


def _says_that(asked: str) -> bool:
    """Tell whether a question carries a statement: `who would deny that aspirin is safe?`."""
    that = re.search(r"\bthat\s+", asked)
    return that is not None and states(asked[that.end() :]) and not begins_with_verb(asked[that.end() :])


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


def _labelled(text: str, span: Span, label: re.Match[str], heading: bool) -> list[Part]:
    """Part a lead-in from what it leads to; one that judges, or has nothing but words after it, stays with it."""
    title = label["label"].strip("*_ ")
    rest = Span(span.start + label.end(), span.end)
    after = text[rest.start : rest.end]
    plan = bool(_PLAN.match(title)) or bool(_OPTION_NAMED.match(title))
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
    if _OPTION_NAMED.search(title) and not states(after) and not _EVALUATES.search(after):
        return [Part(span, Kind.HEADING)]
    if heading and not judges and not states(after) and not _states_without_verb(after):
        return [Part(span, Kind.HEADING)]
    return [Part(span, Kind.STATEMENT)]
