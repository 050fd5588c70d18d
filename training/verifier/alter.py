"""Alterations that make a true sentence false, and rewordings that leave it true.

Each alteration returns the changed sentence, or None where the sentence offers nothing to change. Which label a change
deserves is decided in `verifier_pairs`: a swapped *object* contradicts the original, a swapped *subject* is about
something else, so that the original is silent on it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Kind = Literal["number", "negation", "drug", "disease", "direction"]


class Altered(NamedTuple):
    """A changed sentence, and where the change begins."""

    text: str
    at: int


_OPPOSITES = [
    ("increase", "decrease"), ("increased", "decreased"), ("increases", "decreases"), ("increasing", "decreasing"),
    ("higher", "lower"), ("high", "low"), ("elevated", "reduced"), ("raises", "lowers"), ("more", "less"),
    ("before", "after"), ("left", "right"), ("upper", "lower"), ("proximal", "distal"), ("anterior", "posterior"),
    ("acute", "chronic"), ("early", "late"), ("mild", "severe"), ("benign", "malignant"), ("positive", "negative"),
    ("hypertension", "hypotension"), ("hyperkalemia", "hypokalemia"), ("hyponatremia", "hypernatremia"),
    ("hyperglycemia", "hypoglycemia"), ("hypercalcemia", "hypocalcemia"), ("tachycardia", "bradycardia"),
    ("hyperthyroidism", "hypothyroidism"), ("agonist", "antagonist"), ("inhibits", "stimulates"),
    ("improves", "worsens"), ("improved", "worsened"), ("dominant", "recessive"), ("gain", "loss"),
    ("systolic", "diastolic"), ("constricts", "dilates"), ("vasoconstriction", "vasodilation"), ("men", "women"),
    ("man", "woman"), ("boy", "girl"), ("male", "female"), ("often", "rarely"), ("common", "rare"), ("always", "never"),
    ("most", "few"), ("superior", "inferior"), ("beneficial", "harmful"), ("maximum", "minimum"), ("above", "below"),
    ("first-line", "last-line"), ("contraindicated", "recommended"), ("slow", "rapid"), ("thin", "thick"),
    ("longer", "shorter"), ("older", "younger"), ("better", "worse"), ("arterial", "venous"), ("bacterial", "viral"),
    ("sensory", "motor"), ("systemic", "local"), ("unilateral", "bilateral"), ("present", "absent"),
    ("significant", "nonsignificant"), ("effective", "ineffective"), ("normal", "abnormal"),
]  # fmt: skip
_OPPOSITE = {a: b for a, b in _OPPOSITES} | {b: a for a, b in _OPPOSITES}
OPPOSITE_WORDS = frozenset(_OPPOSITE)
_DIRECTION = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _OPPOSITE), key=len, reverse=True)) + r")\b", re.I)

_NUMBER = re.compile(r"(?<![\w.-])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?!\w|\.\d)|\b\d+(?=-(?:year|month|week|day|hour))")
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_NUMBER_WORD = re.compile(r"\b(" + "|".join(_WORDS) + r")\b", re.I)

# Insertions and deletions in pairs, so that neither "not" nor its absence gives the label away.
_NEGATIONS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\b(is|are|was|were|can|should|will|could|must|does|do|did|has|have) not\b"), r"\1"),
    (re.compile(r"\bcannot\b"), "can"),
    (re.compile(r"\bno (?=(?:evidence|history|known|significant|other|cure|need|effect|symptoms|signs)\b)"), ""),
    (re.compile(r"\bdenies\b"), "reports"),
    (re.compile(r"\breports\b"), "denies"),
    (re.compile(r"\bwithout\b"), "with"),
    (re.compile(r"\bwith(?= (?:fever|pain|a history|evidence|symptoms|signs|food|complications)\b)"), "without"),
    (re.compile(r"\b(is|are|was|were|should|will|could|must)\b(?! not\b)"), r"\1 not"),
    (re.compile(r"\bcan\b(?! not\b)"), "cannot"),
    (re.compile(r"\bhas (?=a |an |been |fever|pain)"), "does not have "),
    (re.compile(r"\b(causes|requires|includes|affects|occurs|leads|increases|reduces|prevents|involves|shows)\b"), ""),
    (re.compile(r"\b(cause|require|include|affect|occur|lead|increase|reduce|prevent|involve|show)\b"), r"do not \1"),
]  # fmt: skip
_BASE = {"affects": "affect", "occurs": "occur", "leads": "lead", "prevents": "prevent", "involves": "involve",
         "causes": "cause", "requires": "require", "includes": "include", "increases": "increase",
         "reduces": "reduce", "shows": "show"}  # fmt: skip

DRUG = re.compile(
    r"\b[a-z]{2,}(?:olol|pril|sartan|statin|cillin|mycin|micin|cycline|floxacin|azole|prazole|tidine|dipine|zepam|"
    r"zolam|mab|tinib|vir|gliptin|gliflozin|glutide|parin|xaban|gatran|triptan|setron|oxetine|traline|azine|semide|"
    r"thiazide|lactone|profen|oxicam|coxib|phylline|terol|sone|solone|cort|caine|curium|barbital|idone|apine|"
    r"triptyline|ipramine|dronate|platin|rubicin|trexate|lukast|prost|glitazone|formin|mide|toin|zolamide)\b"
    r"|\b(?:aspirin|warfarin|heparin|insulin|metformin|digoxin|lithium|morphine|naloxone|epinephrine|atropine|"
    r"acetaminophen|ibuprofen|clopidogrel|levothyroxine|methotrexate|allopurinol|colchicine|nitroglycerin|"
    r"amiodarone|adenosine|vancomycin|isoniazid|rifampin|acyclovir|prednisone|albuterol|furosemide)\b",
    re.I,
)


def alter(kind: Kind, text: str, draw: random.Random, drugs: Sequence[str], diseases: Diseases) -> Altered | None:
    """Change one thing in `text`; None where there is nothing of this kind in it."""
    makers: dict[Kind, Callable[[], Altered | None]] = {
        "number": lambda: _number(text, draw),
        "negation": lambda: _negation(text, draw),
        "direction": lambda: _direction(text, draw),
        "drug": lambda: _swap(text, [m.span() for m in DRUG.finditer(text)], drugs, draw),
        "disease": lambda: _swap(text, diseases.spans(text), diseases.names, draw),
    }
    altered = makers[kind]()
    return altered if altered and altered.text != text else None


class Diseases:
    """Names of diseases, and where they stand in a sentence."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._known = set(names)
        self._longest = max((len(n.split()) for n in names), default=1)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Character spans of known names, the longest first at each place."""
        words = [m.span() for m in re.finditer(r"[A-Za-z][A-Za-z'-]*", text)]
        low, out, i = text.lower(), [], 0
        while i < len(words):
            for n in range(min(self._longest, len(words) - i), 0, -1):
                start, end = words[i][0], words[i + n - 1][1]
                if low[start:end] in self._known:
                    out.append((start, end))
                    i += n - 1
                    break
            i += 1
        return out


def _number(text: str, draw: random.Random) -> Altered | None:
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        words = list(_NUMBER_WORD.finditer(text))
        if not words:
            return None
        word = draw.choice(words)
        other = draw.choice([w for w in _WORDS if w != word[0].lower()])
        return _replaced(text, *word.span(), other)
    number = draw.choice(numbers)
    value = float(number[0].replace(",", ""))
    whole = "." not in number[0]
    if whole and value <= 12:
        new = draw.choice([v for v in range(1, 16) if v != value])
        return _replaced(text, *number.span(), str(new))
    changed = value * draw.choice([0.1, 0.25, 0.5, 0.6, 0.75, 1.3, 1.5, 2, 3, 10])
    if 1900 <= value <= 2030 and whole:
        changed = value + draw.choice([-12, -7, -3, 4, 8])
    if text[number.end() : number.end() + 1] == "%":
        changed = min(changed, 99)
    places = 0 if whole else len(number[0].split(".")[1])
    new_text = f"{changed:.{places}f}"
    return None if float(new_text) == value else _replaced(text, *number.span(), new_text)


def _negation(text: str, draw: random.Random) -> Altered | None:
    removals, insertions = _NEGATIONS[:5], _NEGATIONS[5:]
    if draw.random() < 0.5:
        # "with" and "without" stand on both sides: half of the time insertions are looked at first.
        removals, insertions = insertions, removals
    for group in (removals, insertions):
        candidates = [(new, m) for pattern, new in group for m in pattern.finditer(text)]
        if candidates:
            new, match = draw.choice(candidates)
            replacement = match.expand(new) if new else (f"does not {_BASE[match[0]]}" if match[0] in _BASE else "")
            return Altered(" ".join((text[: match.start()] + replacement + text[match.end() :]).split()), match.start())
    return None


def _direction(text: str, draw: random.Random) -> Altered | None:
    # "more than one", "the most" and "early" as part of names are left: their opposites read wrongly but stay false.
    directions = list(_DIRECTION.finditer(text))
    if not directions:
        return None
    match = draw.choice(directions)
    new = _OPPOSITE[match[0].lower()]
    return _replaced(text, *match.span(), new.capitalize() if match[0][0].isupper() else new)


def _swap(text: str, spans: list[tuple[int, int]], names: Sequence[str], draw: random.Random) -> Altered | None:
    if not spans:
        return None
    start, end = draw.choice(spans)
    old = text[start:end].lower()
    low = text.lower()
    for new in draw.sample(list(names), min(8, len(names))):
        # A name that shares a word with the old one, or stands in the sentence, may leave it true.
        if not set(new.split()) & set(old.split()) and new not in low:
            # The same thing under the same name: all its mentions change together.
            changed = re.sub(re.escape(text[start:end]), new, text, flags=re.I)
            return Altered(changed[:1].upper() + changed[1:], start)
    return None


def _replaced(text: str, start: int, end: int, new: str) -> Altered:
    return Altered(text[:start] + new + text[end:], start)


_SYNONYMS = [
    ("physician", "doctor"), ("myocardial infarction", "heart attack"), ("high blood pressure", "hypertension"),
    ("usually", "typically"), ("often", "frequently"), ("begins", "starts"), ("children", "pediatric patients"),
    ("people", "patients"), ("individuals", "people"), ("medication", "drug"), ("medicine", "drug"),
    ("shows", "reveals"),
    ("may", "can"), ("leads to", "results in"), ("is caused by", "is due to"), ("used to treat", "given for"),
    ("helps", "can help"), ("therefore", "thus"), ("renal", "kidney"), ("hepatic", "liver"), ("cardiac", "heart"),
    ("pulmonary", "lung"), ("treatment", "therapy"), ("symptoms", "clinical features"), ("disorder", "condition"),
    ("shortness of breath", "dyspnea"), ("fever", "elevated temperature"), ("swelling", "edema"), ("stroke", "CVA"),
    ("for example", "for instance"), ("such as", "including"), ("approximately", "about"), ("because of", "due to"),
    ("comes to", "presents to"), ("physical examination", "exam"), ("found in", "seen in"), ("evaluate", "assess"),
    ("administered", "given"), ("receive", "be given"), ("known as", "called"), ("tumor", "neoplasm"),
    ("intravenous", "IV"), ("weeks", "wk"), ("emergency department", "ED"), ("blood pressure", "BP"),
]  # fmt: skip
_REWORD = {a: b for a, b in _SYNONYMS} | {b: a for a, b in _SYNONYMS if len(b) > 3}
_REWORDABLE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _REWORD), key=len, reverse=True)) + r")\b", re.I)
_OPENINGS = (
    "Therefore, ", "It is known that ", "In general, ", "We know that ", "Recall that ", "According to guidelines, ",
    "In this patient, ", "Note that ", "Clinically, ", "First, ", "Next, ", "As a result, ", "The key point is that ",
    "However, ", "Let us consider: ", "In this case, ", "This means that ", "Importantly, ", "So ",
)  # fmt: skip
_LIST = re.compile(r"^(?P<head>.{8,90}?\b(?:include|includes|including|such as|are|involve)\b:?\s)(?P<items>.+)$")


def reword(text: str, draw: random.Random, strength: float = 1.0) -> str:
    """Say the same in other words: synonyms, brackets off, an opening in front, number words for figures."""
    out = text
    if draw.random() < 0.5 * strength:
        out = re.sub(r"\s*\([^()]*\)", "", out)
    matches = list(_REWORDABLE.finditer(out))
    for match in reversed(matches):
        if draw.random() < 0.4 * strength:
            out = out[: match.start()] + _REWORD[match[0].lower()] + out[match.end() :]
    if draw.random() < 0.15 * strength:
        out = re.sub(r"\b([2-9])\b(?![.,%/-])", lambda m: _WORDS[int(m[1]) - 1], out)
    if draw.random() < 0.3 * strength:
        keep = out[:1] if out[1:2].isupper() else out[:1].lower()
        out = draw.choice(_OPENINGS) + keep + out[1:]
    if draw.random() < 0.2:
        out = out.rstrip(".")
    return out if len(out.split()) >= 3 else text


def shorten(text: str, draw: random.Random) -> str | None:
    """Return a shorter sentence that follows from `text`: one item of its list, or its first main clause."""
    listed = _LIST.match(text)
    if listed and draw.random() < 0.7:
        items = [i.strip(" .") for i in re.split(r",\s*(?:and|or)\s+|,\s+|;\s+|\s+and\s+", listed["items"])]
        items = [i for i in items if 1 <= len(i.split()) <= 6]
        if len(items) >= 2:
            return f"{listed['head']}{draw.choice(items)}."
    # A condition in front or behind changes what is claimed, so only relative and coordinate clauses are cut.
    cut = re.match(
        r"^(?!(?:If|When|Unless|Although|While|In|Among|For)\b)(.{25,}?)(?:, which|, who|;|, and (?=\w+ (?:is|are)\b))",
        text,
    )
    return f"{cut[1].rstrip(' ,')}." if cut and len(cut[1].split()) >= 5 else None
