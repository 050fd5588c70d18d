"""Plans: what a step says it will look at, and the statements that it may carry all the same."""

from __future__ import annotations

import re

from tracejury.agents.claims.verbs import states
from tracejury.agents.claims.words import content_words

OPTION_NAMED = re.compile(r"(?:choices?|options?|answers?)[\s_]*\(?[A-J]\)?(?![a-z])|\b[A-J]\)", re.I)
"""An option of the question, by its letter."""
_TIMING = re.compile(r"\(\d+(?:\.\d+)? (?:sec|min)\w*\)")
_ACT = (
    r"(?:analy[sz]|evaluat|consider|review|identif|compar|examin|assess|determin|understand|look|recall|list|check|think"
    r"|discuss|interpret|recogni[sz]|focus|summari[sz]|clarif|calculat|defin|explain|explor|break down|find|reason"
    r"|go over|see|figure|narrow|verif|know|remember|note|integrat|synthesi[sz]|correlat|associat|justif|describ"
    r"|(?:start|begin|work|proceed)(?:ing)? (?:by|with|through))(?:e|y|ing|ying|ning)?"
)
_AFTER_LET_US = (
    rf"(?:{_ACT}|go|move|turn|start|begin|proceed|take|use|try|do|get|dive|differentiate|approach|break|apply|continue|return"
    r"|solve|work|tackle|recap|walk|step|eliminate|choose|decide|pick|select)"
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
_PLAN = re.compile(
    r"^(?:(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|now|finally|lastly|so|okay|ok|well|to begin(?: with)?"
    r"|to start|in this step|here|and),?\s+)*"
    r"(?:to (?!be\b)[^,]{3,120}, (?=(?:we|i|let)\b))?"
    rf"(?:let(?:['\u2019]s| us| me)\s+(?:now |first |next |also |then )*{_AFTER_LET_US}\b"
    r"|(?:we|i)(?:['\u2019]ll| will| shall| need to| have to| should| must| can| are going to| am going to"
    r"| want to| would)"
    rf"\s+(?:now |first |next |also |then |carefully )*{_ACT}\b"
    r"|the (?:(?:first|next|second|last|best|final) )?(?:thing|step|task)"
    rf"(?: (?:that )?(?:we|i) (?:need|have|want) to do)? is to {_ACT}\b"
    rf"|{_ACT}\b)",
    re.I,
)
_ASIDE = re.compile(r"^(?:note|recall|remember|recogni[sz]e|understand|know|see|assume|given)\b(?:\s+that)?", re.I)
_BARE_OBJECT = 2
"""Words of content that `that` may point at, as in `consider that finding`."""
_INDIRECT = re.compile(r"(?<![,;(] )(?<!\()\b(?:which|what|whether|how|why|who|where|if|when)\b[^,;.]*", re.I)
_THOSE_THAT = re.compile(
    r"\b(?:options?|choices?|disorders?|conditions?|diseases?|drugs?|medications?|diagnos[ei]s|causes?|factors?|mechanisms?"
    r"|findings?|symptoms?|possibilit\w+|treatments?|tests?|things?|features?|criteria)\s+(?:that|which)\b[^,;.]*",
    re.I,
)


def is_plan(words: str) -> bool:
    """Tell whether a text only says what will be looked at: `let us consider the options`.

    `Eliminate choice A` names what it decides and `consider giving aspirin` advises, so both are statements.
    """
    if _DECIDES.match(words):
        undecided = _UNDECIDED.search(words) and not OPTION_NAMED.search(words)
        return bool(undecided) and not _states_beyond_plan(words)
    return begins_plan(words) and not _states_beyond_plan(words)


def begins_plan(words: str) -> bool:
    """Tell whether a text begins as a plan does, whatever follows."""
    return bool(_PLAN.match(words) or _DECIDES.match(words))


def _states_beyond_plan(words: str) -> bool:
    """Tell whether a plan carries a statement: `eliminate choice A because it is teratogenic`."""
    plan = _PLAN.match(words)
    aside = _ASIDE.match(words)
    rest = words[plan.end() :] if plan else words
    if re.match(r"\s+that\s", rest) and len(content_words(rest)) > _BARE_OBJECT:
        return True  # `consider that small ventricles support it`, whatever verbs the lists know
    if aside:
        # `Note the low calcium`: what is noted is stated.
        rest = words[aside.end() :]
        if re.search(r"\bthat$", aside[0]) or re.search(r"\d", rest):
            return True
    if _ADVISES.search(words):
        return True
    rest = _THOSE_THAT.sub(" ", rest)
    rest = _INDIRECT.sub(" ", _TIMING.sub("", rest))
    return states(rest) or bool(re.search(r"\d", OPTION_NAMED.sub("", rest)))
