"""Evidence on a claim's topic that asserts nothing of it: what a judge could quote to ground anything.

`Form.trained` forms are made for training; the other half is for measuring only, so that the measure shows what the
model makes of forms that it has not seen.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple

_THAN = re.compile(
    r"\b(?P<a>(?:in|with|for|by|among) (?:the )?[\w -]{3,40}?) (?P<than>than|compared (?:with|to)|versus|vs\.?) "
    r"(?P<b>(?:in |with |for |by |among )?(?:the )?[\w -]{3,40}?)(?=[,.;(]|$)"
)
_BETTER = re.compile(
    r"^(?P<a>[\w ,-]{3,60}?) (?P<verb>(?:is|was|were|are) (?:significantly |more |less )?"
    r"(?:superior to|inferior to|better than|worse than|(?:more|less) \w+ than|higher than|lower than)) "
    r"(?P<b>[\w -]{3,50})(?=[,.;(]|$)"
)
_UNITS = {"mg": "g", "g": "mg", "ml": "l", "mcg": "mg", "hours": "days", "days": "weeks", "weeks": "months",
          "months": "years", "years": "months", "minutes": "hours", "kg": "g", "mmol/l": "mol/l"}  # fmt: skip
_UNIT = re.compile(r"(?<=\d )(" + "|".join(sorted(_UNITS, key=len, reverse=True)) + r")\b", re.I)
_PEOPLE = {"children": "adults", "adults": "children", "women": "men", "men": "women", "infants": "adults",
           "patients": "healthy volunteers", "mice": "humans", "rats": "humans"}  # fmt: skip
_PERSON = re.compile(r"\b(" + "|".join(_PEOPLE) + r")\b", re.I)


class Form(NamedTuple):
    """A form of evidence made from a true sentence, and the label of that sentence as the claim."""

    name: str
    label: str
    trained: bool
    make: Callable[[str, random.Random], str | None]


def _framed(*frames: str) -> Callable[[str, random.Random], str | None]:
    def make(sentence: str, draw: random.Random) -> str | None:
        inner = sentence.rstrip(".!")
        inner = inner if inner[1:2].isupper() else inner[:1].lower() + inner[1:]
        return draw.choice(frames).replace("{}", inner)

    return make


def _heading(sentence: str, draw: random.Random) -> str | None:
    """Return the sentence's topic as a heading: its longest words, in order."""
    words = [w.strip(".,;:()") for w in sentence.split() if len(w) > 5]
    if len(words) < 2:
        return None
    topic = " ".join(words[: draw.randint(2, 4)]).title()
    return draw.choice(("# {}", "{}", "## {}", "{}:")).replace("{}", topic)


def _lead_in(sentence: str, _: random.Random) -> str | None:
    listed = re.match(r"^(.{8,90}?\b(?:include|includes|including|such as|are|involve|is|was|were))\b", sentence)
    return f"{listed[1]}:" if listed and len(listed[1].split()) >= 3 else None


def _swapped(pattern: re.Pattern[str]) -> Callable[[str, random.Random], str | None]:
    def make(sentence: str, _: random.Random) -> str | None:
        match = pattern.search(sentence)
        if not match or match["a"].lower() == match["b"].lower():
            return None
        a, b = match["a"], match["b"]
        # "in women than men": the preposition stays where it stood.
        lead = re.match(r"(?:in|with|for|by|among) (?:the )?", a)
        if lead and not b.startswith(lead[0]):
            a, b = a[lead.end() :], f"{lead[0]}{b}"
        start, end = match.span()
        joint = match["than"] if "than" in match.groupdict() else match["verb"]
        changed = f"{sentence[:start]}{b} {joint} {a}{sentence[end:]}"
        return changed[:1].upper() + changed[1:] if start == 0 else changed

    return make


def _replaced(pattern: re.Pattern[str], table: dict[str, str]) -> Callable[[str, random.Random], str | None]:
    def make(sentence: str, draw: random.Random) -> str | None:
        places = list(pattern.finditer(sentence))
        if not places:
            return None
        at = draw.choice(places)
        new = table[at[0].lower()]
        return sentence[: at.start()] + (new.capitalize() if at[0][0].isupper() else new) + sentence[at.end() :]

    return make


FORMS = (
    Form("whether", "not_enough", True, _framed(
        "We investigated whether {}.", "The aim of this study was to determine whether {}.", "Is it true that {}?",
        "It is not known whether {}.", "The objective was to assess if {}.", "Does the evidence show that {}?",
        "To examine whether {}.", "Whether {} has been debated.",
    )),
    Form("heading", "not_enough", True, _heading),
    Form("denied", "contradicted", True, _framed(
        "It is not true that {}.", "There is no evidence that {}.", "Contrary to earlier reports, it is false that {}.",
        "We did not find that {}.",
    )),
    Form("comparison", "contradicted", True, _swapped(_THAN)),
    Form("hypothesis", "not_enough", False, _framed(
        "It was hypothesised that {}.", "The trial was designed to show that {}.",
        "Further research is needed to establish that {}.", "Patients often ask if {}.",
        "If {}, treatment would have to change.", "Some authors have speculated that {}.",
    )),
    Form("lead-in", "not_enough", False, _lead_in),
    Form("myth", "contradicted", False, _framed(
        "Myth: {}.", "It is a common misconception that {}.", "The belief that {} has been refuted.",
        "Studies have failed to confirm that {}.",
    )),
    Form("superiority", "contradicted", False, _swapped(_BETTER)),
    Form("unit", "contradicted", False, _replaced(_UNIT, _UNITS)),
    Form("people", "not_supported", False, _replaced(_PERSON, _PEOPLE)),
)  # fmt: skip
