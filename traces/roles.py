"""What a step does in its trace, by rule: the first role whose cue is found, in the order below."""

from __future__ import annotations

import re

from tracejury.traces.records import Role

_OPTION = r"(?:(?:option|choice|answer)s?[ _]\(?[A-Z]\)?\b|\([A-Z]\))"

_CUES: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(cue, re.IGNORECASE))
    for role, cue in (
        # A change of mind is rare and matters most, so it is looked for first.
        (
            Role.CORRECTION,
            r"^\s*(?:wait|hmm|no,|actually)\b|\b(?:on second thought|scratch that|i was wrong|my mistake"
            r"|i made an? (?:mistake|error)|let me (?:re\w+|double[- ]check|correct)|correction:"
            r"|i (?:mis\w+|overlooked)|upon re-?(?:evaluation|consideration|reading))\b|[.!?] (?:but )?wait\b",
        ),
        (
            Role.FINAL_SYNTHESIS,
            r"^\s*(?:solution|final answer|answer|conclusion)\s*:"
            r"|\b(?:in (?:conclusion|summary)|to (?:conclude|sum up))\b"
            r"|\b(?:therefore|thus|hence|so|overall|based on (?:this|these|the above|all))\b[^.?!\n]{0,120}"
            rf"(?:\b(?:answer|choice|option)\b[^.?!\n]{{0,40}}\bis\b|\bis {_OPTION})"
            r"|\bthe (?:correct|best|right|final|most (?:likely|appropriate)) (?:answer|choice|option)\b"
            r"[^.?!\n]{0,60}\bis\b",
        ),
        (
            Role.OPTION_ELIMINATION,
            rf"{_OPTION}[^.?!\n]{{0,160}}\b"
            r"(?:incorrect|wrong|unlikely|less likely|not|n't|can be|cannot|ruled?|eliminated)\b"
            r"|\b(?:rul(?:e|es|ed|ing) out|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing))\b"
            r"|\b(?:less likely|process of elimination)\b"
            r"|\bthe other (?:options|choices|answers)\b",
        ),
        (
            Role.HYPOTHESIS_GENERATION,
            r"\b(?:differential|hypothes[ie]s|suspect(?:ed|s)?|concern(?:ing)? for|most likely|could be|may be|might be"
            r"|suggest(?:s|ed|ing|ive)?|point(?:s|ing)? (?:to|towards?)|consistent with|indicat(?:es?|ing|ive))\b",
        ),
    )
)
_NO_STATEMENT = re.compile(
    r"^\s*(?:let'?s|let us|first,? (?:we|i) (?:need|should|will)|(?:we|i) (?:need|have) to)\b|\?\s*$", re.I
)
_STATES = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|does|do|will|causes?|leads?|results?|occurs?|presents?|requires?|includes?"
    r"|increases?|decreases?|reduces?|inhibits?|binds?|acts?|shows?|produces?|contains?|treats?|means?|[a-z]{3,}(?:s|ed))\b"
)


def step_role(text: str) -> Role:
    """Return the role of a step with this text.

    Roles are those of Jiang et al. (arXiv 2605.28301); theirs were assigned by a model, these by cues, so that the same
    text always has the same role.
    """
    for role, cue in _CUES:
        if cue.search(text):
            return role
    if not _NO_STATEMENT.search(text) and len(text.split()) >= 4 and _STATES.search(text):
        return Role.FACTUAL_CLAIM
    return Role.OTHER
