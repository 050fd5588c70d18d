"""A run's rows as compact columns. Every figure of this room is computed from these, never from the records.

A row is read once and forgotten: 200,000 steps take about 15 MB, whatever their texts, quotes and rationales weigh.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Label, Outcome, Reason
from tracejury.ledger import FailureCounts, StepRow, count_failure
from tracejury.reports.palette import arm_order
from tracejury.reports.views import View, grounded_outcome, keeps_grade, majority_outcome
from tracejury.traces import SAMPLED_ANSWERS, ErrorType, Role, other_language

OUTCOMES = (Outcome.SUPPORTED, Outcome.ERROR, Outcome.ABSTAINED, Outcome.FAILED)
NO_CLAIM = len(OUTCOMES)
"""The code of a step that states nothing checkable: a column of its own, in no rate."""
KINDS = len(OUTCOMES) + 1
ROLES = tuple(Role)
ERROR_TYPES = tuple(ErrorType)
LABELS = (Label.SUPPORTED, Label.ERROR, Label.UNCLEAR, Label.NO_CLAIM)
LABEL_FAILED = len(LABELS)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_STEP = {"trace": "i", "kind": "b", "role": "b", "error_type": "b", "position": "i", "chars": "i", "words": "i"}
_STEP |= {"majority": "b", "grounded": "b"}
_STEP |= {"hedges": "i", "confidence": "f", "resolver": "b", "human": "b", "reason": "b"}
_TRACE = {"question": "i", "arm": "i", "sample": "i", "answer": "i", "gold": "i", "correct": "b", "hint": "b"}
_TRACE |= {
    "source": "i",
    "options": "i",
    "option_chars": "i",
    "stem_chars": "i",
    "trace_chars": "i",
    "tokens": "i",
    "empty": "b",
}
_OPINION = {"step": "i", "judge": "i", "label": "b", "grounded": "b", "votes": "b"}
_COST = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd")
REASONS = tuple(Reason)


class ArmKey(NamedTuple):
    """One side of a comparison: an arm of a run."""

    run: str
    arm: str


@dataclass(frozen=True)
class Columns:
    """Steps, traces and opinions as arrays of codes. -1 stands for none or unknown.

    `steps` has one entry a judged step: `trace` (row in `traces`), `kind` (index in `OUTCOMES`, or `NO_CLAIM`),
    `majority` and `grounded` (the same by the two views of `views.py`), `role`, `error_type`, `position` (from 0),
    `chars`, `words`, `hedges`, `confidence` (nan: none), `resolver`, `reason`, `human` (0 supported, 1 error).
    `traces` has one entry a trace, those without steps included (`empty`): `question`, `arm`, `sample`, `answer`,
    `gold`, `correct`, `hint`, `source`, `options`, `option_chars`, `stem_chars`, `trace_chars`, `tokens`.
    `opinions` has one entry an opinion: `step`, `judge`, `label` (index in `LABELS`, or `LABEL_FAILED`), `grounded`,
    `votes`.
    """

    steps: Mapping[str, NDArray[Any]]
    traces: Mapping[str, NDArray[Any]]
    opinions: Mapping[str, NDArray[Any]]
    questions: tuple[str, ...]
    arms: tuple[ArmKey, ...]
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    """Benchmarks, as the questions name their source."""
    judges: tuple[tuple[str, str | None], ...]
    """(name, model) of each judge code."""
    costs: Mapping[ArmKey, Mapping[str, float]]
    panels: Mapping[str, tuple[str, ...]]
    """Run -> panels and segmenters found in its rows, as `panel NAME` and `segmenter NAME`."""
    failures: Mapping[ArmKey, FailureCounts]
    """Failed opinions of each arm by reason; arms without one are left out."""
    keeps_grades: bool
    """The rows say how well verdicts are grounded, so that the two views of `views.py` can be told apart."""
    sampled_answers: Mapping[tuple[int, int], Mapping[int, int]] = field(default_factory=dict)
    """(arm code, question code) -> answer code -> samples, where a trace stands for all samples of its question."""

    @property
    def step_question(self) -> Ints:
        """The question code of each step, shape (steps,)."""
        codes: Ints = self.traces["question"][self.steps["trace"]].astype(np.int64)
        return codes

    @property
    def step_arm(self) -> Ints:
        """The arm code of each step, shape (steps,)."""
        codes: Ints = self.traces["arm"][self.steps["trace"]].astype(np.int64)
        return codes

    def per_question(self, mask: Bools | None = None) -> Floats:
        """Count steps by question and kind, shape (questions, KINDS): supported, error, abstained, failed, no claim."""
        question, kind = self.step_question, self.steps["kind"].astype(np.int64)
        if mask is not None:
            question, kind = question[mask], kind[mask]
        flat = np.bincount(question * KINDS + kind, minlength=len(self.questions) * KINDS)
        return flat.reshape(-1, KINDS).astype(np.float64)

    def with_kinds(self, kind: NDArray[Any]) -> Columns:
        """Return the same steps under other outcomes: what a re-analysis of the same opinions looks at."""
        return replace(self, steps={**self.steps, "kind": kind.astype(np.int8)})

    def by_view(self, view: View) -> Columns:
        """Return the same steps with the outcomes that the view holds."""
        return self.with_kinds(self.steps[view.value])

    def arm_codes(self, keys: Sequence[ArmKey]) -> list[int]:
        """Return the codes of `wanted`.

        Raises:
            KeyError: An arm is not there; the message lists those that are.
        """
        missing = [w for w in keys if w not in self.arms]
        if missing:
            known_arms = ", ".join(f"{a.run}:{a.arm}" for a in self.arms) or "none"
            raise KeyError(f"no arm {missing[0].arm!r} in run {missing[0].run!r}. Arms: {known_arms}")
        return [self.arms.index(w) for w in keys]


class _Codes(dict[object, int]):
    """Numbers things in the order in which they are first met."""

    def __missing__(self, key: object) -> int:
        self[key] = len(self)
        return self[key]


def gather(rows: Iterable[StepRow], multilingual: Collection[str] = ()) -> Columns:
    """Read a stream of rows, of one run or several, into columns. Memory holds the codes, not the rows.

    Args:
        rows: The rows.
        multilingual: Runs with traces in other languages than English: hedges of such steps are not known.
    """
    return _Gatherer(multilingual).take(rows).columns()


class _Gatherer:
    def __init__(self, multilingual: Collection[str]) -> None:
        self.multilingual = frozenset(multilingual)
        self.steps = _empty(_STEP)
        self.traces = _empty(_TRACE)
        self.opinions = _empty(_OPINION)
        self.questions, self.arms, self.answers, self.judges, self.sources = (_Codes() for _ in range(5))
        self.trace_codes = _Codes()
        self.costs: dict[ArmKey, dict[str, float]] = {}
        self.panels: dict[str, dict[str, None]] = defaultdict(dict)
        self.failures: dict[ArmKey, FailureCounts] = defaultdict(dict)
        self.keeps_grades = False
        self.sampled_answers: dict[tuple[int, int], dict[int, int]] = {}

    def take(self, rows: Iterable[StepRow]) -> _Gatherer:
        for row in rows:
            trace = self._trace(row)
            if row.outcome is not None:
                self._step(row, trace)
        return self

    def _trace(self, row: StepRow) -> int:
        key = (row.run, row.trace_id)
        if key in self.trace_codes:
            return self.trace_codes[key]
        self.panels[row.run][f"panel {row.panel}"] = None
        self.panels[row.run][f"segmenter {row.segmenter}"] = None
        values = {
            "question": self.questions[row.question_id],
            "arm": self.arms[ArmKey(row.run, row.arm)],
            "sample": row.sample,
            "source": self.sources[str(row.meta.get("question_source") or "")],
            "answer": -1 if row.answer is None else self.answers[row.answer],
            "gold": -1 if row.gold is None else self.answers[row.gold],
            "correct": -1 if row.answer_correct is None else int(row.answer_correct),
            "hint": -1 if row.hint_used is None else int(row.hint_used),
            "empty": int(row.step_index < 0),
            "tokens": _whole(row.meta.get("completion_tokens")),
            **{name: _whole(row.meta.get(name)) for name in ("options", "option_chars", "stem_chars", "trace_chars")},
        }
        for name, column in self.traces.items():
            column.append(values[name])
        if counts := _sampled_answers(row):
            codes = {-1 if answer is None else self.answers[answer]: count for answer, count in counts.items()}
            self.sampled_answers[values["arm"], values["question"]] = codes
        # An arm whose traces all lack steps cost nothing, and is an arm all the same.
        self.costs.setdefault(ArmKey(row.run, row.arm), dict.fromkeys(_COST, 0.0))
        return self.trace_codes[key]

    def _step(self, row: StepRow, trace: int) -> None:
        assert row.outcome is not None  # noqa: S101 - rows without an outcome are traces without steps
        self.keeps_grades |= keeps_grade(row)
        values = {
            "trace": trace,
            "kind": _kind(row, row.outcome),
            "majority": _kind(row, majority_outcome(row) or row.outcome),
            "grounded": _kind(row, grounded_outcome(row) or row.outcome),
            "role": ROLES.index(row.role),
            "error_type": -1 if row.error_type is None else ERROR_TYPES.index(row.error_type),
            "position": row.step_index,
            "chars": len(row.step_text),
            "words": len(row.step_text.split()),
            "hedges": -1 if row.run in self.multilingual and other_language(row.step_text) else row.hedges,
            "confidence": float("nan") if row.confidence is None else row.confidence,
            "resolver": int(row.resolver is not None),
            "reason": -1 if row.reason is None else REASONS.index(row.reason),
            "human": -1 if row.label is None else int(row.label == "error"),
        }
        step = len(self.steps["trace"])
        for name, column in self.steps.items():
            column.append(values[name])
        for opinion in row.opinions:
            self.opinions["step"].append(step)
            self.opinions["judge"].append(self.judges[opinion.judge, opinion.model])
            self.opinions["label"].append(LABELS.index(Label(opinion.label)) if opinion.label else LABEL_FAILED)
            self.opinions["grounded"].append(int(opinion.grounded))
            self.opinions["votes"].append(int(opinion.seat == "vote"))
            if opinion.failed is not None:
                count_failure(self.failures[ArmKey(row.run, row.arm)], opinion.failed, opinion.failure)
        cost = self.costs[ArmKey(row.run, row.arm)]
        for name in _COST:
            cost[name] += getattr(row, name)

    def columns(self) -> Columns:
        keys: list[ArmKey] = [ArmKey(*key) for key in self.arms]  # type: ignore[misc]
        runs = list(dict.fromkeys(key.run for key in keys))
        ordered = sorted(keys, key=lambda key: (runs.index(key.run), *arm_order(key.arm)))
        places = {key: place for place, key in enumerate(ordered)}
        place = np.array([places[key] for key in keys], dtype=np.int64)
        traces = {name: np.asarray(values) for name, values in self.traces.items()}
        traces["arm"] = place[traces["arm"]] if keys else traces["arm"]
        return Columns(
            steps={name: np.asarray(values) for name, values in self.steps.items()},
            traces=traces,
            opinions={name: np.asarray(values) for name, values in self.opinions.items()},
            questions=tuple(map(str, self.questions)),
            arms=tuple(ordered),
            answers=tuple(map(str, self.answers)),
            sources=tuple(map(str, self.sources)),
            judges=tuple(self.judges),  # type: ignore[arg-type]
            costs={key: dict(value) for key, value in self.costs.items()},
            panels={key: tuple(sorted(value)) for key, value in self.panels.items()},
            failures=dict(self.failures),
            keeps_grades=self.keeps_grades,
            sampled_answers={
                (int(place[arm]), question): counts for (arm, question), counts in self.sampled_answers.items()
            },
        )


def _sampled_answers(row: StepRow) -> dict[str | None, int]:
    """Return the answers of all samples that a trace stands for; none where its `meta` says nothing readable."""
    pairs = row.meta.get(SAMPLED_ANSWERS)
    counts: dict[str | None, int] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        match pair:
            case [str() | None as answer, int(count)] if count > 0:
                counts[answer] = count
            case _:
                return {}
    return counts


def _kind(row: StepRow, outcome: Outcome) -> int:
    return NO_CLAIM if not row.claim and outcome is Outcome.ABSTAINED else OUTCOMES.index(outcome)


def _empty(columns: Mapping[str, str]) -> dict[str, array[Any]]:
    return {name: array(code) for name, code in columns.items()}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1
