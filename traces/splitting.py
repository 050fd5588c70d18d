"""Where sentences end in a chain of thought: prose, lists, headings, formulas, tables, abbreviations, option letters.

A rule of our own: on boundaries marked by hand (benchmarks/sentences.py) it makes fewer mistakes than the libraries
tried, which know neither lists nor that "The answer is B. Aspirin" is one sentence and "hepatitis B. The" ends one.
"""

from __future__ import annotations

import re

from tracejury.traces.spans import Span, trimmed

_NEVER = frozenset(
    "dr mr mrs ms prof st mt vs fig figs eq ref refs no nos vol pp cf al approx ca resp incl esp e.g i.e eg ie viz sp spp"
    " subsp var dept gen sgt jr sr".split()
)
"""Abbreviations that something always follows. (`etc.`, `a.m.`, `mg.` may end a sentence.)"""
_OPENERS = frozenset(
    "the this that these those it its he his she her they their there we our i you your in on at for from of to by with"
    " without within if as but and or so yet however therefore thus hence additionally also furthermore moreover finally"
    " first second third next then now lastly overall given based since because while although though when where which"
    " who whose what why how other others another option options choice choices answer all none both each every some any"
    " most many such other let let's here here's after before during once one only a an not no yes is are was are can"
    " patient patients explanation according among instead similarly conversely meanwhile nevertheless".split()
)
"""Words that open a sentence and are seldom the text of an option."""
_END = re.compile(
    r"[.!?\u2026][\"'\u201d\u2019)\]*_]*[ \t]+(?=[\"'\u201c\u2018(\[*_]*[A-Z0-9\u0391-\u03a9>\u2265\u2264~])"
)
_LINE_BREAK = re.compile(r"[ \t]*\n\s*")
_ENUMERATOR = re.compile(
    r"[\s>#*_-]*(?:[-\u2022*+]\s+)?[*_(]*(?:(?:step|option|choice)\s+)?(?:[A-Za-z]|\d{1,2}|[ivxIVX]{1,4})[*_)]*[.]"
)
_LAST_TOKEN = re.compile(r"(\S+?)[.!?\u2026][\"'\u201d\u2019)\]*_]*\s*\Z")
_NEXT_WORD = re.compile(r"[\"'\u201c\u2018(\[*_]*([\w']+)(?!,)")
_LETTERED = re.compile(
    r"\b(?:hepatitis|vitamins?|type|grade|group|factor|class|stage|category|protein|influenza|strain|cell|lead|phase)\s+"
    r"\S?[A-Z]\.\Z",
    re.IGNORECASE,
)
_WRAPPED = 60
"""A line at least this long that ends without a full stop is taken for wrapped where the next one goes on in small letters."""


def split_sentences(text: str) -> list[Span]:
    """Return the spans of the sentences of `text`, without the white space around them.

    A list item, a heading, a row of a table and a formula on a line of its own are sentences too.
    """
    found: list[Span] = []
    for line in _lines(text):
        start = line.start
        for match in _END.finditer(text, line.start, line.end):
            if _ends(text, start, match):
                found.append(trimmed(text, start, match.end()))
                start = match.end()
        found.append(trimmed(text, start, line.end))
    return [span for span in found if span.start < span.end]


def _lines(text: str) -> list[Span]:
    """Return the lines of `text`, wrapped ones joined, and an enumerator on a line of its own with what it numbers."""
    cuts = [0]
    for match in _LINE_BREAK.finditer(text):
        line = text[cuts[-1] : match.start()].strip()
        after = text[match.end() : match.end() + 1]
        blank = match.group().count("\n") > 1
        wrapped = not blank and len(line) >= _WRAPPED and line[-1] not in ".!?:;|" and after.islower()
        if line and not wrapped and not _ENUMERATOR.fullmatch(line):
            cuts.append(match.end())
    return [Span(a, b) for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the full stop of `match` ends the sentence that began at `start`."""
    before, dot = text[start : match.start() + 1], text[match.start()]
    if dot != ".":
        return True
    if _ENUMERATOR.fullmatch(before):
        return False
    token = _LAST_TOKEN.search(text[start : match.end()])
    word = token.group(1).strip("\"'([*_").casefold() if token else ""
    following = _NEXT_WORD.match(text, match.end())
    opens = following is not None and following.group(1).casefold() in _OPENERS
    if word in _NEVER:
        # "No. 5" and "no. The": only the word that is also a plain one needs the next one to tell.
        return word == "no" and opens
    if len(word) == 1 and word.isalpha():
        # The option letter of "the answer is B. Aspirin", not the last word of "a carrier of hepatitis B. Lamivudine".
        return opens or _LETTERED.search(before) is not None
    return True
