"""Before and after: two arms over the same questions. Did answers get better while reasoning got worse?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from tracejury.reports.columns import ArmKey, Columns
from tracejury.reports.corrected import CorrectedDifference, corrected_comparison
from tracejury.reports.differences import Difference, Settings, answer_difference, error_share, step_difference
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife, difference
from tracejury.reports.paired import holm
from tracejury.reports.rates import rates_of
from tracejury.reports.sampled_answers import SampledDifference, sampled_difference
from tracejury.reports.sentence import headline
from tracejury.reports.sides import Sides, decided_in_both, pair, questions_decided_in_both
from tracejury.reports.slices import TypeChange, error_type_changes
from tracejury.reports.unlike_coverage import trimmed_differences
from tracejury.reports.views import View
from tracejury.traces import Record


class Direction(StrEnum):
    """Where a difference lies, by its interval."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class Robust(StrEnum):
    """Whether a direction stays, at the confidence asked for, whatever the abstentions hide."""

    YES = "yes"
    NO = "no"
    NO_DIRECTION = "no direction"


class DecidedLevel(Record):
    """The difference over the questions that are decided to some degree in both arms."""

    name: str
    questions: int
    difference: Estimate


class Pool(Record):
    """All verdicts of either arm together, whether or not the other arm has any on the same question."""

    baseline: Estimate
    other: Estimate
    difference: Estimate
    apart: bool
    """It lies further from the paired difference than that one's standard error: the arms were not judged alike."""


class StepComparison(Record):
    """Step errors of two arms, by one view of the verdicts. `steps` is None where no question is decided in both."""

    view: View
    coverage: tuple[float, float]
    """Share of claims with a verdict, over the questions that both arms have."""
    decided_coverage: tuple[float, float]
    """The same over the questions that are compared."""
    steps: Difference | None
    levels: tuple[DecidedLevel, ...]
    """The headline over questions with one verdict, with `min_decided`, with verdicts on all claims, in each arm."""
    pool: Pool
    like_coverage: tuple[Estimate, Estimate] | None
    """The difference between these ends is possible once the better covered arm gives up its surplus of verdicts."""
    worst_case: tuple[Estimate, Estimate] | None
    """The difference if abstentions were all against it, and all for it, each with its own interval."""
    worst_case_with_failures: tuple[Estimate, Estimate] | None
    direction: Direction
    robust: Robust
    enough: bool
    why_not: str | None

    @property
    def coverage_sentence(self) -> str:
        """Say which share of the claims has a verdict, over the paired questions and over those compared."""
        before, after = (100 * c for c in self.coverage)
        text = f"coverage of the paired questions {before:.1f} -> {after:.1f} %"
        if self.steps is None or self.decided_coverage == self.coverage:
            return text
        before, after = (100 * c for c in self.decided_coverage)
        return f"{text}, of the {self.steps.questions:,} compared {before:.1f} -> {after:.1f} %"

    @property
    def detectable(self) -> float | None:
        """Return about the smallest difference, in shares, that the tests would show with 80 % power.

        The tests allow for unlike coverage: a difference has to exceed what the surplus of verdicts could hide.
        """
        if self.steps is None or self.steps.detectable is None or self.steps.difference.value is None:
            return None
        value, ends = self.steps.difference.value, self.like_coverage
        if ends is None or ends[0].value is None or ends[1].value is None:
            return self.steps.detectable
        return self.steps.detectable + max(value - ends[0].value if value > 0 else ends[1].value - value, 0.0)


class Comparison(Record):
    """Two arms compared. The headline's figures are of the jury's majority; grounded verdicts alone stand beside."""

    baseline: ArmKey
    other: ArmKey
    paired: int
    unpaired: tuple[int, int]
    """Questions that only the baseline has, and only the other arm."""
    answers: Difference | None
    """None where no question has a gold answer."""
    majority: StepComparison
    grounded: StepComparison | None
    """None where the run does not keep how well its verdicts are grounded."""
    corrected: CorrectedDifference | None
    """Step errors by the majority, corrected for its errors, over the same questions; None without labelled steps."""
    error_types: tuple[TypeChange, ...]
    """Errors of the majority by type over the questions that are compared, with those that evidence shows."""
    settings: Settings
    sentence: str
    sampled_answers: SampledDifference | None = None
    """Answers over all samples of each question; None where an arm has one sample a question."""

    @property
    def steps(self) -> Difference | None:
        """The step errors by the jury's majority."""
        return self.majority.steps

    @property
    def left_out(self) -> str:
        """Say how many questions too few verdicts leave out, and what the rest can show; empty: nothing to say."""
        decided = self.steps.questions if self.steps else 0
        detectable = self.majority.detectable
        unlike = self.steps is not None and detectable is not None and detectable > (self.steps.detectable or 0) + 0.005
        if decided >= self.paired and not unlike:
            return ""
        share = 100 * self.settings.min_decided
        text = (
            f"{self.paired - decided:,} of {self.paired:,} paired questions are left out: under {share:g} % of their"
            " claims have a verdict in one arm or in both"
            if decided < self.paired
            else "all paired questions are decided"
        )
        if detectable is None:
            return text
        reason = ", since their tests allow for unlike coverage" if unlike else ""
        return (
            f"{text}; the {decided:,} that remain show differences from about {100 * detectable:.0f} points on{reason}"
        )

    @property
    def enough(self) -> bool:
        """Tell whether there are enough verdicts to compare."""
        return self.majority.enough


def compare(
    columns: Columns,
    baseline: ArmKey,
    others: Sequence[ArmKey],
    settings: Settings | None = None,
    *,
    labels: Columns | None = None,
) -> list[Comparison]:
    """Compare each of `others` with `baseline`, question by question.

    Args:
        columns: From `gather`.
        baseline: The arm that the others are compared with.
        others: The other arms.
        settings: Draws, confidence, and what is asked for.
        labels: Another run of the same panel whose labels correct the error rates; None: the labels of these steps.

    Raises:
        KeyError: An arm is not in `columns`.
        ValueError: Nothing to compare: no other arm, or no question in common.
    """
    settings = settings or Settings()
    if not others:
        raise ValueError(f"nothing to compare {baseline.arm!r} with: name a second arm or a second run")
    here, *there = columns.arm_codes([baseline, *others])
    each = settings.model_copy(update={"confidence": 1 - (1 - settings.confidence) / len(there)})
    return _corrected([_compare(columns, here, code, each, labels) for code in there])


def _compare(columns: Columns, before: int, after: int, settings: Settings, labels: Columns | None) -> Comparison:
    sides = pair(columns, before, after)
    names = columns.arms[before], columns.arms[after]
    if not len(sides.before):
        raise ValueError(
            f"{names[0].run}:{names[0].arm} and {names[1].run}:{names[1].arm} have no question in common: "
            "comparisons are paired by question"
        )
    answers = answer_difference(sides, settings)
    views = [View.MAJORITY, *([View.GROUNDED] if columns.keeps_grades else [])]
    majority, *grounded = (compare_steps(columns.by_view(view), before, after, settings, view) for view in views)
    by_majority = columns.by_view(View.MAJORITY)
    return Comparison(
        baseline=names[0],
        other=names[1],
        paired=len(sides.before),
        unpaired=sides.unpaired,
        answers=answers,
        majority=majority,
        grounded=grounded[0] if grounded else None,
        corrected=corrected_comparison(by_majority, before, after, settings, labels=labels),
        error_types=_error_types(by_majority, before, after, settings),
        settings=settings,
        sentence=headline(answers, majority, grounded[0] if grounded else None),
        sampled_answers=sampled_difference(columns, before, after, confidence=settings.confidence),
    )


def compare_steps(columns: Columns, before: int, after: int, settings: Settings, view: View) -> StepComparison:
    """Compare the step errors of two arms, the outcomes of `columns` being those of `view`."""
    sides = pair(columns, before, after)
    mask = decided_in_both(sides, settings.min_decided)
    decided = sides.only(mask)
    steps, worst, worst_with_failures = step_difference(sides, settings)
    coverage = _coverage(sides.before), _coverage(sides.after)
    why_not = _why_not(coverage, int(mask.sum()), settings)
    direction = direction_of(steps.difference if steps else None)
    return StepComparison(
        view=view,
        coverage=coverage,
        decided_coverage=(_coverage(decided.before), _coverage(decided.after)),
        steps=steps,
        levels=tuple(_levels(sides, settings)),
        pool=_pool(columns, before, after, steps, settings.confidence),
        like_coverage=_like_coverage(decided, settings.confidence) if steps else None,
        worst_case=worst,
        worst_case_with_failures=worst_with_failures,
        direction=direction,
        robust=robustness_of(direction, worst),
        enough=why_not is None,
        why_not=why_not,
    )


def _error_types(columns: Columns, before: int, after: int, settings: Settings) -> tuple[TypeChange, ...]:
    compared = questions_decided_in_both(columns, before, after, settings.min_decided)[columns.step_question]
    arms = [compared & (columns.step_arm == code) for code in (before, after)]
    return error_type_changes(columns, *arms, confidence=settings.confidence)


def direction_of(estimate: Estimate | None) -> Direction:
    """Tell where an interval lies."""
    if estimate is None or estimate.low is None or estimate.high is None or estimate.low <= 0 <= estimate.high:
        return Direction.NONE
    return Direction.UP if estimate.low > 0 else Direction.DOWN


def _levels(sides: Sides, settings: Settings) -> list[DecidedLevel]:
    levels = []
    for name, share in (("one", 0.0), (f"{100 * settings.min_decided:g} %", settings.min_decided), ("all", 1.0)):
        decided = sides.only(decided_in_both(sides, share))
        rates = [error_share(side, settings.confidence) for side in (decided.before, decided.after)]
        levels.append(DecidedLevel(name=name, questions=len(decided.before), difference=difference(*rates)))
    return levels


def _pool(columns: Columns, before: int, after: int, steps: Difference | None, confidence: float) -> Pool:
    counts = [columns.per_question(columns.step_arm == code) for code in (before, after)]
    rates = [error_share(side, confidence) for side in counts]
    change = difference(*rates)
    paired = steps.difference if steps else None
    apart = False
    if paired and paired.value is not None and change.value is not None:
        error = 0.0
        if paired.low is not None and paired.high is not None:
            error = (paired.high - paired.low) / 2 / NormalDist().inv_cdf((1 + confidence) / 2)
        apart = abs(change.value - paired.value) > max(error, 1e-9)
    return Pool(baseline=rates[0].estimate, other=rates[1].estimate, difference=change, apart=apart)


def _like_coverage(sides: Sides, confidence: float) -> tuple[Estimate, Estimate]:
    columns = sides.before.shape[1]

    def measure(total: Floats) -> Floats:
        return np.stack(trimmed_differences(total[..., :columns], total[..., columns:]), axis=-1)

    jackknife = Jackknife(np.concatenate([sides.before, sides.after], axis=1), measure, confidence=confidence)
    units = min(side[:, :2].sum() for side in (sides.before, sides.after))
    low, high = (jackknife.bounded(i, units=units, ends=(-1.0, 1.0)) for i in (0, 1))
    return low, high


def _coverage(counts: Floats) -> float:
    value = float(rates_of(counts.sum(axis=0))[3])
    return value if np.isfinite(value) else 0.0


def _why_not(coverage: tuple[float, float], decided: int, settings: Settings) -> str | None:
    if min(coverage) < settings.min_coverage:
        shares = " and ".join(f"{100 * c:.1f} %" for c in coverage)
        return f"coverage is {shares} of the claims, at least {100 * settings.min_coverage:g} % is asked for"
    if decided < settings.min_questions:
        return f"{decided} questions are decided in both arms, at least {settings.min_questions} are asked for"
    return None


def robustness_of(direction: Direction, worst: tuple[Estimate, Estimate] | None) -> Robust:
    """Tell whether a direction stays whatever the abstentions hide, from the ends of the worst case."""
    if direction is Direction.NONE or worst is None:
        return Robust.NO_DIRECTION
    ends = {Direction.UP: worst[0].low, Direction.DOWN: worst[1].high}
    end = ends[direction]
    one_sided = end is not None and (end > 0 if direction is Direction.UP else end < 0)
    return Robust.YES if one_sided else Robust.NO


def _corrected(comparisons: list[Comparison]) -> list[Comparison]:
    """Correct the permutation p-values of a family of comparisons for their number."""
    answers = _holm([c.answers for c in comparisons])
    majority = _holm([c.majority.steps for c in comparisons])
    grounded = _holm([c.grounded.steps if c.grounded else None for c in comparisons])
    return [
        c.model_copy(
            update={
                "answers": answer,
                "majority": c.majority.model_copy(update={"steps": steps}),
                "grounded": c.grounded and c.grounded.model_copy(update={"steps": alone}),
            }
        )
        for c, answer, steps, alone in zip(comparisons, answers, majority, grounded, strict=True)
    ]


def _holm(differences: list[Difference | None]) -> list[Difference | None]:
    corrected = iter(holm([d.permutation_p for d in differences if d]))
    return [d and d.model_copy(update={"permutation_p_holm": next(corrected)}) for d in differences]
