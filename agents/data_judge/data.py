"""The judge without a model: it computes again what a step computes, and holds its figures against the vignette."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tracejury.agents.contracts import Ask, Judge
from tracejury.agents.data_judge.arithmetic import arithmetic_checks
from tracejury.agents.data_judge.checks import FigureCheck
from tracejury.agents.data_judge.earlier import earlier_checks
from tracejury.agents.data_judge.measures import prose
from tracejury.agents.data_judge.patient import patient_checks
from tracejury.agents.data_judge.ranges import calls, range_checks
from tracejury.agents.data_judge.readings import contradiction_checks, point_checks
from tracejury.agents.data_judge.scores import score_checks
from tracejury.agents.records import Case, Draft, Label, Quote
from tracejury.storage import run_in_thread
from tracejury.traces import ErrorType

_WORD = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*", re.I)
_SMALL = re.compile(
    r"an?|the|of|in|on|at|to|for|with|and|or|as|by|from|is|are|was|were|has|have|had|be|been|this|that|these|those|its?|"
    r"s?he|his|hers?|they|their|patient|who|which|there|also|so|thus|therefore|present(?:s|ing|ation)"
)


class DataJudge:
    """Numbers, units, doses, ages, vital signs and laboratory values of a step; no model is asked.

    It says `error` where a figure does not recompute or is not the vignette's, `supported` where its checks hold and
    the step says nothing else than the vignette does, and `unclear` otherwise: that a number is right does not make
    the sentence around it right.
    """

    kind = "data"
    english_only = True
    summary = "Recomputes numbers, units, doses and scores, and holds them against the vignette; asks no model."
    needs_endpoint = False

    def __init__(self, restated: float = 0.9) -> None:
        self.restated = restated
        """The share of a step's content words that must stand in the vignette before `supported` is said."""

    async def draft(self, case: Case, ask: Ask | None = None) -> Draft:
        """Check the step; `ask` is not used."""
        return await run_in_thread(self.judge, case)

    def judge(self, case: Case) -> Draft:
        """Check the step, without an event loop."""
        whole, case = case, _prose(case)
        checks = [
            *arithmetic_checks(case),
            *patient_checks(case),
            *score_checks(case),
            *range_checks(case),
            *point_checks(case),
            *contradiction_checks(case),
            *earlier_checks(case),
        ]
        wrong = [c for c in checks if not c.holds]
        if wrong:
            return _draft(Label.ERROR, wrong)
        if not checks:
            return Draft(label=Label.UNCLEAR, rationale="Nothing to check: no figure or calculation.")
        whole_step = len(case.step) > 0.9 * len(whole.step) and not calls(case.step)
        if whole_step and _restated(case) >= self.restated:
            return _draft(Label.SUPPORTED, checks)
        return _draft(Label.UNCLEAR, checks, "Its figures hold; the rest of the step is not checked by this judge.")


def data(restated: float = 0.9) -> Judge:
    """Make the judge without a model."""
    return DataJudge(restated)


def _prose(case: Case) -> Case:
    context = tuple(c.model_copy(update={"text": prose(c.text)}) for c in case.context)
    return case.model_copy(update={"stem": prose(case.stem), "step": prose(case.step), "context": context})


def _draft(label: Label, checks: Sequence[FigureCheck], rationale: str = "") -> Draft:
    findings = tuple(dict.fromkeys(c.finding for c in checks))
    kinds = [c.error_type for c in checks if c.error_type and not c.holds]
    quotes: dict[tuple[str, str], Quote] = {}
    for quote in (q for c in checks for q in c.quotes):
        quotes.setdefault((quote.evidence_id, quote.quote), quote)
    return Draft(
        label=label,
        error_type=min(kinds, key=list(ErrorType).index) if label is Label.ERROR and kinds else None,
        findings=findings,
        quotes=tuple(quotes.values()),
        derivations=tuple(c.derivation for c in checks if c.derivation is not None),
        rationale=rationale or "; ".join(findings),
    )


def _restated(case: Case) -> float:
    """Return the share of the step's content words, figures included, that stand in the vignette."""
    words = [w.lower() for w in _WORD.findall(case.step) if not _SMALL.fullmatch(w.lower())]
    vignette_words = {w.lower() for w in _WORD.findall(case.stem)}
    return sum(w in vignette_words for w in words) / len(words) if words else 0.0
