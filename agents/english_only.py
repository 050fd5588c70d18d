"""Where parts of a panel that were made for English are silent, and what a user must know of it before a run.

A judge or a checker says so by an attribute `english_only = True`; it is not asked about a step in another language, so
that it calls nothing wrong for want of understanding it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracejury.agents.contracts import Judge, judges
from tracejury.agents.judge_panel import checker_of
from tracejury.agents.panel import Panel
from tracejury.agents.records import Case, Draft, Label
from tracejury.traces import other_language


def language_of_case(case: Case) -> str | None:
    """Return the language of a case's step or question where it is not English."""
    return other_language(case.step, " ".join(step.text for step in case.context), case.stem)


def silent_draft(judge: Judge, case: Case) -> Draft | None:
    """Return what a judge that reads English alone says of a step in another language; None: it is to be asked."""
    if getattr(judge, "english_only", False) is not True or (language := language_of_case(case)) is None:
        return None
    reason = f"Not judged: this judge reads English alone, and the step or its question is in {language}."
    return Draft(label=Label.UNCLEAR, rationale=reason)


def language_notice(panel: Panel, languages: Mapping[str, int]) -> str | None:
    """Return which parts of a panel are of no use in which languages; None: all traces are in English.

    Args:
        panel: The panel.
        languages: Language other than English -> traces.
    """
    if not languages:
        return None
    counts = ", ".join(f"{name} {n:,}" for name, n in languages.items())
    silent = [
        f"judge {spec.name!r}"
        for spec in panel.judges
        if getattr(judges.make(spec.judge, **spec.params), "english_only", False) is True
    ]
    checker = checker_of(panel)
    if checker is not None and checker.checker.english_only:
        silent.append(f"checker {checker.checker.kind!r}")
    silent.append("counts of hedges")
    made_for_english = ["step roles"]
    if panel.claims.endpoint is None:
        made_for_english.append("claims cut by rule")
    if panel.relevance.scorer == "verifier":
        made_for_english.append("relevance by the verifier")
    if panel.deidentify:
        made_for_english.append("de-identification (names above all)")
    return (
        f"traces that are not in English, or whose question is not: {counts}. Left out there, since made for English "
        f"alone: {', '.join(silent)}. Made for English, and may miss what these say: {', '.join(made_for_english)}"
    )
