"""Building a case: what judges see of a step, within the panel's token budget, with nothing left out in silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracejury.agents.order import permuted
from tracejury.agents.panel import Panel
from tracejury.agents.records import Case, ContextStep, Opinion, Outcome, Reason, Route, Verdict
from tracejury.retrieval import Hit, Passage
from tracejury.traces import Question, Step, Trace, blind

# What heading and fence add to a piece of evidence, in tokens (benchmarks/results/prompt_tokens.json).
_PIECE_TOKENS = 48


class CaseTooLarge(Exception):
    """Vignette and step alone exceed the panel's budget: the step fails as `context`, it is never cut."""

    def __init__(self, needed: int, budget: int, case: Case) -> None:
        super().__init__(
            f"vignette and step need {needed} tokens and the panel's case_tokens is {budget}; "
            "raise case_tokens, within the model's context window"
        )
        self.needed = needed
        self.budget = budget
        self.case = case
        """The bare case, for the record."""


def build_case(
    trace: Trace,
    question: Question,
    steps: Sequence[Step],
    step: Step,
    hits: Sequence[Hit],
    panel: Panel,
    count: Callable[[str], int],
) -> Case:
    """Build the case of one step.

    The text of steps is blinded (style, and names of models). Where the budget is short, whole earlier steps go first,
    the oldest first (of a note's sentences, the farthest first), then the lowest-ranked passages; vignette, options and
    step are never cut. Passages stand in a seeded order, so that a judge cannot lean on their rank.

    Args:
        trace: The step's trace.
        question: Its question.
        steps: All steps of the trace, from its segmentation.
        step: The step to judge; one of `steps`.
        hits: The passages found for it, best first.
        panel: Says the budget, whether the gold answer and the earlier steps are shown, and the seed.
        count: Counts tokens; `JudgePanel.count`.

    Raises:
        CaseTooLarge: Vignette, options and step alone exceed the budget.
    """
    return fit_case(whole_case(trace, question, steps, step, panel), hits, panel, count)


def whole_case(trace: Trace, question: Question, steps: Sequence[Step], step: Step, panel: Panel) -> Case:
    """Return the case of one step with all other steps that may be shown, and without passages."""
    names = blinded_names(trace)
    context = tuple(ContextStep(index=s.index, text=blind(s.text, names)) for s in _context(trace, steps, step, panel))
    return Case(
        step_id=step.id,
        trace_id=trace.id,
        stem=question.stem,
        options=_options(question, panel),
        gold=question.gold if panel.show_gold else None,
        context=context,
        step_index=step.index,
        step=blind(step.text, names),
    )


def fit_case(whole: Case, hits: Sequence[Hit], panel: Panel, count: Callable[[str], int]) -> Case:
    """Return a case from `whole_case` with its passages, within the panel's budget; see `build_case`.

    Raises:
        CaseTooLarge: Vignette, options and step alone exceed the budget.
    """
    # Stable for equal distance: the earlier of two sentences comes first, so it goes first.
    expendable = sorted(whole.context, key=lambda c: -abs(c.index - whole.step_index))
    bare = whole.model_copy(update={"context": ()})
    fixed = [bare.stem, *(f"{k}. {v}" for k, v in bare.options.items()), bare.step]
    used = sum(count(text) for text in fixed) + 3 * _PIECE_TOKENS
    if used > panel.case_tokens:
        raise CaseTooLarge(used, panel.case_tokens, bare)
    passages = [hit.passage for hit in hits]
    pieces: list[ContextStep | Passage] = [*whole.context, *passages]
    size = {id(piece): count(piece.text) + _PIECE_TOKENS for piece in pieces}
    used += sum(size.values())
    omitted = []
    while used > panel.case_tokens:
        if expendable:
            dropped = expendable.pop(0)
            used -= size[id(dropped)]
            omitted.append(f"step:{dropped.index}")
        else:
            lowest = passages.pop()
            used -= size[id(lowest)]
            omitted.append(lowest.id)
    return bare.model_copy(
        update={
            "context": tuple(sorted(expendable, key=lambda c: c.index)),
            "passages": permuted(passages, lambda p: p.id, panel.seed, whole.step_id, "passages"),
            "omitted": tuple(omitted),
        }
    )


def with_searches(case: Case, opinions: Sequence[Opinion], hits: Sequence[Hit] = ()) -> Case:
    """Return a case with the passages that judges have searched for, and further hits, after its own."""
    searched = [hit for opinion in opinions for search in opinion.searches for hit in search.hits]
    in_case = {passage.id for passage in case.passages}
    extra = {h.passage.id: h.passage for h in (*searched, *hits) if h.passage.id not in in_case}
    return case.model_copy(update={"passages": (*case.passages, *extra.values())}) if extra else case


def context_failure() -> Verdict:
    """Return the verdict on a step whose case did not fit."""
    return Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.CONTEXT)


def blinded_names(trace: Trace) -> tuple[str, ...]:
    """Return the names that must not be seen in a step: model and teacher.

    A name that is a plain lower-case word (`base`, `student`) is left alone: it tells nothing, and medicine needs it.
    """
    names = (trace.model, trace.meta.get("teacher"))
    return tuple(n for n in names if isinstance(n, str) and n and not (n.isalpha() and n.islower()))


def _options(question: Question, panel: Panel) -> dict[str, str]:
    """Return the options as judges see them; the order is the same for all steps of a question."""
    if not panel.seeded_options:
        return question.options
    return dict(permuted(question.options.items(), lambda option: option[0], panel.seed, question.id, "options"))


def _context(trace: Trace, steps: Sequence[Step], step: Step, panel: Panel) -> list[Step]:
    if not panel.show_earlier:
        return []
    if trace.context == "others":
        return [s for s in steps if s.index != step.index]
    return [s for s in steps if s.index < step.index]
