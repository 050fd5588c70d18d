"""A run whose every text wants to run, to link, to turn the reading direction or to burst the page."""

from __future__ import annotations

from made_ledger import make_run

from tracejury.agents import Citation, Deliberation, Opinion
from tracejury.ledger import Ledger, Run
from tracejury.retrieval import Passage
from tracejury.traces import GivenStep, Question, Trace

SCRIPT = "<script>window.owned=1</script>"
NASTY = (
    f"{SCRIPT}</p></div></main><img src=x onerror='window.owned=2'><svg onload=window.owned=3>"
    '" onmouseover="window.owned=4" \' autofocus onfocus=\'window.owned=5'
    " [x](javascript:window.owned=6) {{ 7*7 }} {% raw %} &lt;b&gt; </title><style>*{display:none}</style>"
)
BIDI = "dose \u202e gm 05 \u202c \u2066hidden\u2069 \u200f end\x07\x1b[31m"
URL = "javascript:window.owned=8"
LONG = "W" * 200_000
NAME = '"><img src=x onerror=window.owned=9>'


def hostile_run(ledger: Ledger) -> Run:
    question = Question(
        stem=f"{NASTY} {BIDI}", options={"A": NASTY, '"><b>': BIDI}, gold="A", explanation=NASTY, key=f"{NAME}{BIDI}"
    )
    steps = tuple(GivenStep(text=t) for t in (f"{NASTY} one.", f"{BIDI} two.", LONG, "A plain step, the fourth one."))
    text = "\n\n".join(s.text for s in steps)
    pairs = [
        (question, Trace(question_id=question.id, model=NASTY[:80], arm=arm, text=text, answer="A", steps=steps))
        for arm in ("<b>base</b>", "javascript:arm")
    ]
    return make_run(ledger, pairs, name=NAME, change=_poison)


def _poison(made: Deliberation) -> Deliberation:
    def passage(one: Passage) -> Passage:
        return Passage.model_validate(
            one.model_dump() | {"title": NASTY, "citation": f"{NASTY} {BIDI}", "url": URL, "license": NASTY,
                                "date": NASTY, "superseded_by": NASTY}
        )  # fmt: skip

    assert made.case is not None
    known = {p.id: passage(p) for p in made.case.passages}

    def citation(one: Citation) -> Citation:
        name = known[one.evidence_id].id if one.evidence_id in known else one.evidence_id
        return one.model_copy(update={"evidence_id": name, "source": NASTY, "citation": NASTY, "why_not": NASTY})

    def opinion(one: Opinion) -> Opinion:
        return one.model_copy(
            update={
                "rationale": f"{NASTY} {BIDI}",
                "findings": (NASTY, LONG[:5_000]),
                "failure": NASTY,
                "model": NASTY,
                "citations": tuple(map(citation, one.citations)),
                "calls": tuple(c.model_copy(update={"raw": NASTY, "error": NASTY, "model": NASTY}) for c in one.calls),
            }
        )

    verdict = made.verdict.model_copy(update={"citations": tuple(map(citation, made.verdict.citations))})
    resolution = made.resolution and made.resolution.model_copy(
        update={
            "asked": (NASTY, BIDI),
            "rationale": NASTY,
            "citations": tuple(map(citation, made.resolution.citations)),
        }
    )
    case = made.case.model_copy(update={"passages": tuple(known.values()), "omitted": (NASTY,)})
    return made.model_copy(
        update={
            "case": case,
            "opinions": tuple(map(opinion, made.opinions)),
            "verdict": verdict,
            "resolution": resolution,
        }
    )
