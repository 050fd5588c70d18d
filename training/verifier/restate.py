"""Saying a sentence's fact in another form: what a reasoning step does with a vignette or a reference.

`restate("Dry cough is a common side effect of lisinopril.")` may give "Lisinopril may cause dry cough." Every rule
follows from its sentence; a sentence that no rule fits gives None.
"""

# ruff: noqa: E501 - a pattern and its forms stay on one line each
from __future__ import annotations

import random
import re

# Pattern -> forms. `{a}`, `{b}`: the groups; `{item}`: one item of the list in group b.
_RULES: list[tuple[re.Pattern[str], tuple[str, ...]]] = [
    (re.compile(pattern, re.I), forms)
    for pattern, forms in [
        # Vignettes.
        (
            r"^An? (?P<a>[\w-]+-(?:year|month|week|day)-old)(?: \w+){0,2}? (?P<b>man|woman|boy|girl|male|female|infant|child)\b",
            ("The patient is a {a} {b}.", "This {a} {b} needs care.", "We are told of a {a} {b}.", "The {b} is {a}."),
        ),
        (
            r"^An? (?P<a>[\w-]+-(?:year|month|week|day)-old).*?(?:because of|due to|complaining of|presents with)"
            r" (?:an? )?(?P<b>[^,.]{4,80})",
            ("The patient has {b}.", "The patient presents with {b}.", "The chief complaint is {b}.",
             "A {a} patient presents with {b}."),
        ),
        (
            r"^(?:He|She|The patient|The mother|The father) (?P<a>has|had|reports|notes) (?P<b>[^.]{4,90})",
            ("The patient {a} {b}.", "According to the vignette, the patient {a} {b}.", "This patient {a} {b}."),
        ),
        (
            r"^(?:He|She|The patient) (?P<a>denies|does not have|has no|had no|has never had) (?P<b>[^.]{4,90})",
            ("The patient {a} {b}.", "There is no {b}.", "The history is negative for {b}.", "No {b} is reported."),
        ),
        (
            r"^(?:His|Her|The patient's|Its) (?P<a>[a-z ]{4,40}?) (?:is|are|was|were) (?P<b>[^,]{1,60}?)(?=, and|\.$|$)",
            ("The {a} is {b}.", "The patient's {a} is {b}.", "A {a} of {b} is noted.", "With a {a} of {b}, this matters.",
             "The vignette gives a {a} of {b}."),
        ),
        (
            r"^(?:\w+ )?(?:examination|exam|auscultation|palpation)(?P<a>[^.]{0,40}?) (?:shows|reveals|demonstrates)"
            r" (?P<b>[^.]{4,120})",
            ("The patient has {item} on examination.", "Examination reveals {item}.", "{item} is found on examination."),
        ),
        (
            r"^(?P<a>[A-Z][\w -]{3,40}) (?:shows|reveals|demonstrates) (?P<b>[^.]{4,120})",
            ("{a} demonstrates {b}.", "There is {b} on {a}.", "{b} is seen on {a}.", "The {a} showed {b}."),
        ),
        # References.
        (
            r"^(?P<a>[^,;]{4,70}?) (?:is|are) (?:an? )?(?:\w+ )?(?:symptom|sign|side effect|adverse effect|complication)s?"
            r" of (?P<b>[^,;.]{3,60})",
            ("{b} may cause {a}.", "{a} can occur with {b}.", "Patients with {b} may have {a}.", "{b} can lead to {a}."),
        ),
        (
            r"^(?:\w+ )?(?:signs and )?(?:symptoms|features|complications) of (?P<a>[^,;]{3,60}?) (?:may |can )?include:?"
            r" (?P<b>[^.]{4,200})",
            ("{a} may cause {item}.", "Patients with {a} may have {item}.", "{item} is a feature of {a}.",
             "{item} can be seen in {a}.", "{item} suggests {a}."),
        ),
        (
            r"^(?:\w+ )?(?:side|adverse) effects of (?P<a>[^,;]{3,60}?) (?:may |can )?include:? (?P<b>[^.]{4,200})",
            ("{a} may cause {item}.", "{item} is an adverse effect of {a}.", "{item} can be due to {a}."),
        ),
        (
            r"^(?P<a>[^,;]{3,70}?) (?:is|are) (?:usually |often |typically )?caused by (?P<b>[^,;.]{3,70})",
            ("{b} causes {a}.", "{a} results from {b}.", "The cause of {a} is {b}.", "{a} is due to {b}."),
        ),
        (
            r"^(?P<a>[^,;]{3,70}?) (?:causes?|leads? to|results? in) (?P<b>[^,;.]{3,80})",
            ("{b} can be caused by {a}.", "{a} can result in {b}.", "{a} may produce {b}.", "{b} is due to {a}."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?:is|are) (?:used to treat|used in the treatment of|indicated for|used for)"
            r" (?P<b>[^,;.]{3,70})",
            ("{b} can be treated with {a}.", "{a} treats {b}.", "{a} is a treatment of {b}.", "{a} is given for {b}."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?:is|are|may be|can be) (?:treated|managed) with (?P<b>[^,;.]{3,80})",
            ("{b} is used to treat {a}.", "Treatment of {a} includes {b}.", "{b} is given for {a}."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?:is|are) characterized by (?P<b>[^.]{4,150})",
            ("Patients with {a} have {item}.", "{item} is typical of {a}.", "{a} presents with {item}."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?P<b>increases?|decreases?|reduces?|raises?|lowers?|inhibits?|blocks?|stimulates?"
            r"|prevents?) (?P<c>[^,;.]{3,80})",
            ("{c} is affected: {a} {b} it.", "By its action, {a} {b} {c}.", "{a} works on {c}: it {b} it."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?:should|must) (?P<b>not be|be) (?P<c>[^.]{4,100})",
            ("It is recommended that {a} {b} {c}.", "Guidelines say that {a} should {b} {c}.", "{a} needs to {b} {c}."),
        ),
        (
            r"^(?P<a>[^,;]{3,60}?) (?:is|are) (?P<b>not recommended|recommended|contraindicated) (?P<c>(?:for|in) [^.]{4,90})",
            ("{c}, {a} is {b}.", "The recommendation {c}: {a} is {b}."),
        ),
        (
            r"^(?:The )?(?:usual |recommended |maximum |starting |initial )?dose of (?P<a>[^,;]{3,40}?) is (?P<b>[^;]{3,80}?)(?=\.$|$)",
            ("{a} is given at {b}.", "{a} {b} is the dose.", "We start {a} at {b}."),
        ),
    ]
]  # fmt: skip


def restate(text: str, seed: int) -> str | None:
    """Return the fact, or one of the facts, of `text` in another form; None where no rule fits.

    The same seed chooses the same rule, form and list item, so that a changed sentence can be restated as its original
    was: where both come out the same, the change was not in what is restated.
    """
    draw = random.Random(seed)
    fitting = [(match, forms) for pattern, forms in _RULES if (match := pattern.search(text))]
    if not fitting:
        return None
    match, forms = draw.choice(fitting)
    groups = {name: _inner(value.strip(" ,")) for name, value in match.groupdict().items()}
    items = [i.strip(" .") for i in re.split(r",\s*(?:and |or )?|;\s+|\s+and\s+", groups["b"])]
    items = [i for i in items if 1 <= len(i.split()) <= 9]
    groups["item"] = items[int(draw.random() * len(items))] if items else groups["b"]
    restated = re.sub(r"\{(\w+)\}", lambda m: groups[m[1]], draw.choice(forms))
    return restated[:1].upper() + restated[1:]


def _inner(text: str) -> str:
    """Lower the first letter of what now stands within a sentence, unless it is an abbreviation or a name."""
    return text if len(text) > 1 and (text[1].isupper() or text[0].isdigit()) else text[:1].lower() + text[1:]
