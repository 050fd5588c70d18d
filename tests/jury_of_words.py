"""Deterministic judges: real code paths, no model; what they say depends on the step's words alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from fixed_checkers import everything_counts

from tracejury.agents import Ask, Case, Draft, JudgePanel, JudgeSpec, Label, Panel, Quote
from tracejury.graphs import RunContext
from tracejury.traces import ErrorType, Question, Trace


class WordJudge:
    """Calls a step wrong where it says so for this judge: `wrong`, `wrong(facts)`; silent where it says `silent`."""

    needs_endpoint = False
    summary = "for tests"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        if "silent" in case.step:
            return Draft(label=Label.UNCLEAR)
        if "breaks" in case.step:
            raise RuntimeError("planted")
        wrong = "wrong everywhere" in case.step or f"wrong for {self.kind}" in case.step
        quote = Quote(evidence_id="vignette", quote="a cough for three days")
        if wrong:
            return Draft(label=Label.ERROR, error_type=ErrorType.FACTUAL, quotes=(quote,))
        return Draft(label=Label.SUPPORTED, quotes=(quote,))


class AlwaysRelevant:
    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [1.0] * len(pairs)


def run_context_of(names: Sequence[str] = ("one", "two", "three"), **panel: object) -> RunContext:
    made = Panel(
        name="words",
        judges=tuple(JudgeSpec(name=name, judge=name) for name in names),
        **panel,  # type: ignore[arg-type]
    )
    judge_panel = JudgePanel(
        made,
        relevance=AlwaysRelevant(),
        judges={name: WordJudge(name) for name in names},
        checker=everything_counts(),
    )
    return RunContext(judge_panel)


def question(n: int = 0) -> Question:
    return Question(
        stem=f"Patient {n}, 40 years old, has had a cough for three days.",
        options={"A": "x", "B": "y"},
        gold="A",
        key=f"q{n}",
    )


def trace(steps: Sequence[str], n: int = 0, arm: str = "base") -> Trace:
    text = "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1)) + "\nThe answer is A."
    return Trace(question_id=question(n).id, model="m", arm=arm, text=text, answer="A")


STEPS = (
    "The cough is an acute one in this patient.",
    "This step is wrong everywhere about the duration of the cough.",
    "This step is wrong for one judge about the duration.",
    "On this step the evidence is silent, all judges say.",
    "On this step everybody breaks down and has no opinion.",
)


def batch_of(count: int) -> list[tuple[Question, Trace]]:
    """Traces whose steps are drawn by a hash: every outcome occurs."""
    made = []
    for n in range(count):
        digest = hashlib.sha256(str(n).encode()).digest()
        steps = [f"In case {n}.{i} {STEPS[digest[i] % len(STEPS)]}" for i in range(3)]
        made.append((question(n), trace(steps, n, arm="base" if n % 2 else "distilled")))
    return made
