"""Quotes made from real sentences: true ones as judges copy them, and altered ones as judges get them wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from tracejury.traces import split_sentences

Change = Callable[[str, random.Random], str | None]
"""Returns the changed sentence, or None where there is nothing of that kind in it."""

DRUGS = re.findall(
    r"\w+",
    """aspirin warfarin heparin metformin insulin prednisone prednisolone ibuprofen amoxicillin azithromycin vancomycin
    metoprolol atenolol lisinopril enalapril amlodipine diltiazem verapamil furosemide spironolactone digoxin
    amiodarone apixaban rivaroxaban dabigatran clopidogrel ticagrelor simvastatin atorvastatin levothyroxine
    morphine fentanyl naloxone epinephrine norepinephrine dopamine dobutamine vasopressin hydralazine hydroxyzine
    fluoxetine sertraline citalopram duloxetine lithium haloperidol methotrexate allopurinol colchicine ceftriaxone
    cefepime ciprofloxacin levofloxacin doxycycline gentamicin penicillin acyclovir fluconazole""",
)
OPPOSITES = {
    "increase": "decrease", "increased": "decreased", "increases": "decreases", "higher": "lower", "high": "low",
    "above": "below", "before": "after", "more": "less", "greater": "lesser", "acute": "chronic", "left": "right",
    "upper": "lower", "positive": "negative", "recommended": "discouraged", "adults": "children", "men": "women",
    "first": "second", "most": "few", "should": "may", "must": "may", "always": "rarely", "common": "rare",
    "severe": "mild", "hypertension": "hypotension", "hyperkalemia": "hypokalemia", "hypoglycemia": "hyperglycemia",
    "tachycardia": "bradycardia", "symptomatic": "asymptomatic", "stable": "unstable", "oral": "intravenous",
    "venous": "arterial", "systolic": "diastolic", "benign": "malignant", "normal": "abnormal", "type 1": "type 2",
}  # fmt: skip
UNITS = {
    "mg": "g", "mcg": "mg", "g": "mg", "mL": "L", "ml": "dl", "mmHg": "kPa", "hours": "days", "days": "weeks",
    "weeks": "months", "months": "years", "years": "months", "minutes": "hours", "hour": "minute", "%": " per 1,000",
    "kg": "lb", "mmol/L": "mg/dL", "mg/dL": "mmol/L", "mEq/L": "mg/dL", "units": "mg",
}  # fmt: skip
SYNONYMS = {
    "recommended": "advised", "patients": "individuals", "treatment": "therapy", "therapy": "treatment",
    "risk": "likelihood", "disease": "illness", "symptoms": "signs", "causes": "leads to", "may": "might",
    "children": "kids", "because": "since", "show": "reveal", "develop": "get", "including": "such as",
    "usually": "typically", "condition": "disorder", "people": "persons", "occurs": "happens", "body": "organism",
}  # fmt: skip
AMERICAN = {
    "anemia": "anaemia", "edema": "oedema", "hemorrhage": "haemorrhage", "tumor": "tumour", "fetal": "foetal",
    "diarrhea": "diarrhoea", "leukemia": "leukaemia", "pediatric": "paediatric", "esophageal": "oesophageal",
    "hemoglobin": "haemoglobin", "behavior": "behaviour", "color": "colour", "ischemic": "ischaemic",
    "hospitalization": "hospitalisation", "randomized": "randomised", "estrogen": "oestrogen",
}  # fmt: skip


def _word(table: Mapping[str, str]) -> Change:
    def change(text: str, rng: random.Random) -> str | None:
        there = [w for w in table if re.search(rf"\b{re.escape(w)}\b", text)]
        if not there:
            return None
        word = rng.choice(there)
        return re.sub(rf"\b{re.escape(word)}\b", table[word], text, count=1)

    return change


def _unit(text: str, rng: random.Random) -> str | None:
    there = [u for u in UNITS if re.search(rf"\d\s?{re.escape(u)}(?![A-Za-z])", text)]
    if not there:
        return None
    unit = rng.choice(there)
    return re.sub(rf"(\d\s?){re.escape(unit)}(?![A-Za-z])", lambda m: m[1] + UNITS[unit], text, count=1)


def _number(text: str, rng: random.Random) -> str | None:
    there = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?", text))
    if not there:
        return None
    old_word = rng.choice(there)
    value = old_word[0]
    new = rng.choice([value + "0", str(int(float(value)) + 1), value[:-1] or "7", f"{int(float(value)) * 10}"])
    return None if new in ("", value) else text[: old_word.start()] + new + text[old_word.end() :]


def _decimal(text: str, rng: random.Random) -> str | None:
    match = re.search(r"\d\.\d", text)
    return text[: match.start() + 1] + text[match.start() + 2 :] if match else None


def _negate(text: str, rng: random.Random) -> str | None:
    match = re.search(r"\b(is|are|was|were|should|may|can|must|does|has|have|will)\b(?! not)", text)
    return f"{text[: match.end()]} not{text[match.end() :]}" if match else None


def _affirm(text: str, rng: random.Random) -> str | None:
    match = re.search(r"\b(not|no|never|without)\s", text)
    return text[: match.start()] + text[match.end() :] if match else None


def _drug(text: str, rng: random.Random) -> str | None:
    there = [d for d in DRUGS if re.search(rf"\b{d}\b", text, re.IGNORECASE)]
    if not there:
        return None
    drug = rng.choice(there)
    other = rng.choice([d for d in DRUGS if d != drug])
    return re.sub(rf"\b{drug}\b", other, text, count=1, flags=re.IGNORECASE)


def _comparison(text: str, rng: random.Random) -> str | None:
    swap = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
    match = re.search(r"[<>≤≥]", text)
    return text[: match.start()] + swap[match[0]] + text[match.end() :] if match else None


def _reordered(text: str, rng: random.Random) -> str | None:
    head, comma, tail = text.rstrip(".").partition(", ")
    return f"{tail[:1].upper()}{tail[1:]}, {head[:1].lower()}{head[1:]}." if comma and len(tail) > 20 else None


def _elided(text: str, rng: random.Random) -> str | None:
    words = text.split()
    if len(words) < 10:
        return None
    cut = rng.randrange(3, len(words) - 5)
    return " ".join([*words[:cut], "...", *words[cut + 2 :]])


def _dropped_word(text: str, rng: random.Random) -> str | None:
    words = text.split()
    inner = [i for i in range(2, len(words) - 1) if len(words[i]) > 4 and words[i].isalpha()]
    if not inner or len(words) < 6:
        return None
    i = rng.choice(inner)
    return " ".join(words[:i] + words[i + 1 :])


ALTERED: Mapping[str, Change] = {
    "number": _number, "decimal point": _decimal, "unit": _unit, "negation put in": _negate,
    "negation taken out": _affirm,
    "drug": _drug, "opposite": _word(OPPOSITES), "comparison": _comparison, "synonym": _word(SYNONYMS),
    "reordered": _reordered, "words left out (...)": _elided, "word dropped": _dropped_word,
}  # fmt: skip


def _broken_line(text: str, rng: random.Random) -> str | None:
    words = [m for m in re.finditer(r"[a-z]{8,}", text)]
    if not words:
        return None
    at = rng.choice(words).start() + 4
    return f"{text[:at]}-\n{text[at:]}"


def _typographic(text: str, rng: random.Random) -> str | None:
    changed = (
        text.replace("fi", "ﬁ")
        .replace("fl", "ﬂ")
        .replace("'", "\u2019")
        .replace('"', "\u201d")
        .replace(" - ", " \u2013 ")
    )
    return changed if changed != text else None


def _spaced(text: str, rng: random.Random) -> str | None:
    words = text.split(" ")
    return "".join(w + rng.choice([" ", "  ", "\n", "\u00a0"]) for w in words).strip()


def _part(text: str, rng: random.Random) -> str | None:
    """Cut at a clause's end, where a person would cut."""
    ends = [m.start() for m in re.finditer(r"[,;:] ", text) if m.start() > 25]
    return text[: rng.choice(ends)] if ends else None


TRUE: Mapping[str, Change] = {
    "verbatim": lambda text, rng: text,
    "white space": _spaced,
    "broken line": _broken_line,
    "typography": _typographic,
    "capitals": lambda text, rng: text.upper(),
    "marked up": lambda text, rng: f"**{text}**",
    "first clause": _part,
}


def _articles(text: str, rng: random.Random) -> str | None:
    changed = re.sub(r"\b[Tt]he ", "", text, count=1)
    return changed if changed != text else None


def _slip(text: str, rng: random.Random) -> str | None:
    words = list(re.finditer(r"\b[a-z]{9,}\b", text))
    if not words:
        return None
    word = rng.choice(words)
    i = word.start() + rng.randrange(3, len(word[0]) - 4)
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :] if text[i] != text[i + 1] else None


FORGIVEN: Mapping[str, Change] = {"article left out": _articles, "spelling": _word(AMERICAN), "letters swapped": _slip}


def sentences(texts: Sequence[str], n: int, rng: random.Random) -> list[tuple[str, str]]:
    """Draw up to `n` pairs (sentence, the text that it stands in)."""
    quotes = []
    for text in rng.sample(list(texts), len(texts)):
        spans = [(a, b) for a, b in split_sentences(text) if 45 <= b - a <= 350]
        if spans:
            a, b = rng.choice(spans)
            quotes.append((text[a:b], text))
        if len(quotes) == n:
            break
    return quotes
