"""Contradictions that two quoted spans show, and a rule that anybody can apply to them again.

A rule takes a text that states something of the patient (the vignette) and a step, and yields what
the step says otherwise. Applied to nothing but the words that a reading quotes, it yields that reading again; so a
reading is a derivation: `recompute` applies the rule to its quotes, and `check_opinions` to the whole case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from tracejury.agents.data_judge.measures import clauses
from tracejury.agents.data_judge.negation import mentions
from tracejury.agents.data_judge.persons import AGE, HYPOTHETICAL, PERSON, RELATIVES, is_male, person
from tracejury.agents.data_judge.quantities import COUNTED


class Reading(NamedTuple):
    """What a rule reads out of two texts. It is a derivation but for the ids of the evidence."""

    what: str
    stated: str
    claimed: str
    words: tuple[str, ...]
    """Of the text that states it, verbatim."""
    step_words: str
    """Of the step, verbatim: the whole sentence, for the words that would make a supposition of it."""
    relation: Literal["equal", "less_equal", "greater_equal"] = "equal"
    holds: bool = False


Rule = Callable[[str, str], Iterator[Reading]]

_THIS = re.compile(rf"\b(?:this|our|the|a|an)\s(?:[\w-]+\s){{0,4}}?{PERSON}\b(?!-)", re.I)
SIDE = re.compile(
    r"\b(?P<side>left|right)(?P<sided>-sided)?\s(?P<part>(?:upper|lower|middle)\s(?:quadrant|lobe|extremity|arm|leg)|"
    r"(?:\w+\s)?(?:arm|leg|hand|foot|knee|hip|shoulder|elbow|wrist|ankle|eye|ear|breast|testicle|testis|kidney|flank|"
    r"temple|calf|thigh|groin|ovary|ureter|cheek|weakness|hemiparesis|hemiplegia|paralysis|numbness|lobe|quadrant))\b",
    re.I,
)
_WORDS = r"(?:[a-z][a-z'-]*\s?){1,5}"
_TREATED_WITH = re.compile(
    rf"\b(?:his|her|their|(?:the|this) patient's)\s(?P<what>{_WORDS})|"
    r"\b(?:he|she|the patient|this patient)\s(?:also\s|already\s|clearly\s)?"
    r"(?:has|had|presents with|presented with|reports|reported|developed|complains of|complained of)\s"
    rf"(?:an?\s)?(?P<had>{_WORDS})|"
    r"\b(?:he|she|the patient|this patient)\s(?:was|has been|had been)\s(?:given|treated with|taking)\s"
    rf"(?P<given>{_WORDS})",
    re.I,
)
# What is given may be given from now on, unless the step says that it was before.
_BEFORE = re.compile(r"\b(?:last|past|previous\w*|prior|recent\w*|earlier|ago|before)\b", re.I)
_NEGATED = re.compile(
    r"\b(?:no|not|without|den(?:y|ies|ied)|lack\w*|absen\w+|never|neither|nor|if|would|rule\w*|exclud\w+|unlikely|risk|"
    r"prevent\w*|could|might|may|suggest\w*|worr\w+|possible|potential|free of)\b|n't",
    re.I,
)
_DENIES = re.compile(r"\b(?:no|not|never|den(?:y|ies|ied)|without|neither|nor)\b|n't\b", re.I)
_OVER = re.compile(r"\b(?:no longer|no more|not (?:only|improv\w+|respond\w*|relieve\w*|resolve\w*))\b", re.I)
# What stands before a finding that is denied as such: `no recent travel` does not deny every travel.
_OPENS = re.compile(r"(?:\b(?:no|any|an?|of|or|and|nor|den(?:y|ies|ied)|denying|without|never|had|neither)|,)\s$", re.I)
_CLOSES = re.compile(
    r"\s*(?:[.,;:)]|$|(?:or|and|nor|but|on|in|at|is|are|was|were|of|to|for|that|which|with|by|during)\b)", re.I
)
_VAGUE = re.compile(
    r"history|diseases?|symptoms?|signs?|problems?|changes?|pain|family|allerg\w+|medications?|findings?|abnormalit\w+|"
    r"illness|conditions?|treatment|therapy|disorders?|surgery|evidence|risks?|factors?|drugs?|sensation|contact|exposure|"
    r"travel|episodes?|attacks?|distress|response|results?|examination|complaints?|past|previous|prior|recent|known|new"
)
_NOT_THE_END = re.compile(
    r"\s(?:disorders?|risks?|medic\w+|therap\w+|treatments?|history|controls?|prophylaxis|scores?|management|work-?up|"
    r"tests?|levels?|screen\w*|sounds?|rates?|counts?|function|use|intake|consumption|status|cessation|exposure|symptoms?)\b",
    re.I,
)
_COUNTED = re.compile(
    r"\b(?P<only>only |just |but )?(?P<number>a single|one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2})\s"
    r"(?:(?:previous|prior|such|recurrent|similar|acute|distinct|separate)\s)?"
    r"(?P<what>attack|episode|seizure|miscarriage|relapse|exacerbation|flare|fracture|recurrence)s?\b",
    re.I,
)
_PART = re.compile(r"\b(?:after|by|per|each|every|during|most|least|than|in the (?:past|last))\b", re.I)


def sexes(stem: str, step: str) -> Iterator[Reading]:
    """Yield `this woman`, where the vignette's persons with an age are all men, or the other way round."""
    who = person(stem)
    if who.male is None:
        return
    for _, clause in clauses(step):
        if RELATIVES.search(clause) or HYPOTHETICAL.search(clause):
            continue
        ages = [m for m in (*AGE.finditer(clause), *_THIS.finditer(clause)) if m["person"]]
        # "a woman" may be any woman; "this woman" and "a 45-year-old woman" are the patient.
        own_ages = [m for m in ages if "old" in m[0].lower() or m[0].lower().startswith(("this", "our"))]
        if any(is_male(m["person"]) is not who.male for m in own_ages):
            named = ("female", "male")
            yield Reading("sex", named[who.male], named[not who.male], (who.words,), clause.strip())
            return


def sides_of(text: str) -> dict[tuple[str, str], str]:
    """Return (side, part of the body) -> the text's own words, for every part that it gives a side to."""
    return {(m["side"].lower(), m["part"].lower()): m[0] for m in SIDE.finditer(text)}


def sides(stem: str, step: str) -> Iterator[Reading]:
    """Yield `the left knee`, where the vignette has the right knee alone."""
    stated = sides_of(stem)
    for _, clause in clauses(step):
        for match in SIDE.finditer(clause):
            side, part = match["side"].lower(), match["part"].lower()
            other = "left" if side == "right" else "right"
            if (side, part) in stated or (other, part) not in stated:
                continue
            if (side, part.split()[-1]) in stated or HYPOTHETICAL.search(clause):
                continue
            if not re.search(rf"\b{other}\b", clause, re.I):
                yield Reading(f"side of {part}", other, side, (stated[other, part],), clause.strip())


def denials(stem: str, step: str) -> Iterator[Reading]:
    """Yield a finding that the step takes for granted, and that the vignette names only to deny it."""
    lower = stem.lower()
    for _, clause in clauses(step):
        if _NEGATED.search(clause):
            continue
        for match in _TREATED_WITH.finditer(clause):
            if match["given"] and not _BEFORE.search(clause):
                continue
            group = next(g for g in ("what", "had", "given") if match[g])
            for what in _named(clause, match.start(group), match.end(group)):
                if what.rstrip("s") in lower and (words := _denied(stem, what)):
                    yield Reading(what.lower(), "absent", "present", (words,), clause.strip())
                    return


def counts(stem: str, step: str) -> Iterator[Reading]:
    """Yield `only one attack`, where the vignette counts four."""
    stated: dict[str, list[re.Match[str]]] = {}
    for match in _COUNTED.finditer(stem):
        stated.setdefault(match["what"].lower(), []).append(match)
    for _, clause in clauses(step):
        for match in _COUNTED.finditer(clause):
            stated_sides = stated.get(match["what"].lower(), [])
            if len(stated_sides) != 1 or _NEGATED.search(clause[: match.end()]) or _PART.search(clause):
                continue
            # A smaller number may be a part of the whole, unless the step says that it is all.
            ours, theirs = _number(match["number"]), _number(stated_sides[0]["number"])
            if ours != theirs and (match["only"] or "single" in match["number"].lower()):
                what = f"count of {match['what'].lower()}s"
                yield Reading(what, str(theirs), str(ours), (stated_sides[0][0],), clause.strip())


CONTRADICTIONS: Mapping[str, Rule] = {
    "sex": sexes,
    "side": sides,
    "denied": denials,
    "count": counts,
}
"""Kind of derivation -> its rule."""


def _named(clause: str, start: int, end: int) -> Iterator[str]:
    """Yield the names of findings that begin at most two words in, the longest first."""
    tokens = [m for m in re.finditer(r"[a-z][a-z'-]*", clause[start:end], re.I)]
    for first in range(min(3, len(tokens))):
        for last in range(min(first + 3, len(tokens) - 1), first - 1, -1):
            words = clause[start + tokens[first].start() : start + tokens[last].end()]
            head = tokens[last][0]
            ends = not _NOT_THE_END.match(clause, start + tokens[last].end())
            if len(head) >= 5 and ends and not _VAGUE.fullmatch(head.lower()):
                yield words


def _denied(stem: str, what: str) -> str | None:
    """Return the sentence that denies it; None: it is nowhere named as such, or somewhere affirmed."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(what.removesuffix('s'))}s?(?![\w-])", re.I)
    mentioned = mentions(stem, pattern)
    if not mentioned or any(m.status != "denied" for m in mentioned):
        return None
    for mention in mentioned:
        at = mention.clause.find(mention.words)
        before, after = mention.clause[:at], mention.clause[at + len(mention.words) :]
        if _DENIES.search(before) and not _OVER.search(before) and _OPENS.search(before) and _CLOSES.match(after):
            return mention.clause.strip()
    return None


def _number(word: str) -> int:
    word = word.lower().removeprefix("a ")
    return int(word) if word.isdigit() else COUNTED.get(word, 1)
