"""Findings that the vignette denies and the step takes for granted: `no cervical lymphadenopathy`, `her cervical ...`.

Only words after a plain negation count, and only where the vignette never affirms them; clinical negation libraries do
more, but bring a language model's toolkit with them, for the four triggers that are precise enough to be used here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tracejury.agents.figures.checks import Check, in_vignette
from tracejury.agents.figures.measures import clauses
from tracejury.agents.records import Case
from tracejury.traces import ErrorType

_DENIAL = re.compile(
    r"\b(?:(?:there (?:is|are|was|were) |has |had |shows? |showed |reveals? |and |with |but )"
    r"no(?: history of| evidence of| signs? of| known)?|den(?:ies|ied)(?: any)?|never had(?: an?)?|without(?: any)?)\s"
    r"(?P<what>[^.;:]{3,120})",
    re.I,
)
_SCOPE_ENDS = re.compile(
    r"\b(?:but|except|although|however|who|which|that|until|before|after|since|has|is|was|shows?)\b", re.I
)
_ITEMS = re.compile(r",\s*(?:and |or |nor )?|\s(?:and|or|nor)\s", re.I)
_TAKEN = re.compile(
    r"\b(?:his|her|their|(?:the|this) patient's)\s(?P<what>(?:[a-z-]+\s?){1,4})|"
    r"\b(?:he|she|the patient|this patient)\s(?:also\s)?(?:has|had|presents with|reports|developed|complains of)\s"
    r"(?:an?\s)?(?P<had>(?:[a-z-]+\s?){1,4})",
    re.I,
)
_NEGATED = re.compile(
    r"\b(?:no|not|without|den(?:y|ies|ied)|lack\w*|absen\w+|never|neither|nor|if|would|rule\w*|exclud\w+|unlikely|risk|"
    r"prevent\w*|could|might|may|suggest\w*|worr\w+|possible|potential|free of)\b|n't",
    re.I,
)
_VAGUE = re.compile(
    r"history|diseases?|symptoms|signs|problems|changes|pain|family|allerg\w+|medications?|findings|abnormalities|illness|"
    r"conditions?|treatment|therapy|disorders?|surgery|evidence|risks?|factors"
)


class Denied(NamedTuple):
    """A finding that the vignette denies, and the words in which it does."""

    what: tuple[str, ...]
    words: str


def denied_checks(case: Case) -> Iterator[Check]:
    """Yield what the step says the patient has and the vignette says the patient has not."""
    denials = denied(case.stem)
    if not denials:
        return
    for _, clause in clauses(case.step):
        if _NEGATED.search(clause):
            continue
        for match in _TAKEN.finditer(clause):
            said = tuple(w.lower() for w in re.findall(r"[a-z-]+", match["what"] or match["had"], re.I))
            found = next((d for d in denials if _begins_with(said, d.what)), None)
            if found is not None:
                finding = f"denied: the step has {match[0].strip()!r}, the vignette {found.words!r}"
                yield Check(False, finding, ErrorType.CONTRADICTS_VIGNETTE, None, (in_vignette(found.words),))
                return


@lru_cache(maxsize=512)
def denied(stem: str) -> tuple[Denied, ...]:
    """Return the findings that a vignette denies and nowhere affirms."""
    found = []
    for match in _DENIAL.finditer(stem):
        scope = _SCOPE_ENDS.split(match["what"])[0]
        words = stem[match.start() : match.start("what") + len(scope)].strip(" ,")
        affirmed = (stem[: match.start()] + " " + stem[match.start("what") + len(scope) :]).lower()
        for item in _ITEMS.split(scope):
            what = tuple(re.findall(r"[a-z-]+", item.lower()))
            what = what[1:] if what and what[0] in {"a", "an", "any", "the", "other"} else what
            if not 1 <= len(what) <= 4 or len(what[-1]) < 5 or _VAGUE.fullmatch(what[-1]):
                continue
            if what[-1] not in affirmed:
                found.append(Denied(what, words))
    return tuple(found)


def _begins_with(said: tuple[str, ...], what: tuple[str, ...]) -> bool:
    """Tell whether the denied finding stands in what is said, at most two words in (`her prior intestinal bleed`)."""
    return any(said[i : i + len(what)] == what for i in (0, 1, 2))
