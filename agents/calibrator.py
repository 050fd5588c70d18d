"""Applying a calibrator: from a verdict and its opinions to the probability of an error, and to abstention below it.

A calibrator is a file that `tracejury quality calibrate` writes and a panel names. It is data, not code: a
logistic model in plain numbers and two thresholds. Fitting it lives in
`tracejury.reports`; applying it is a pure function.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ValidationError

from tracejury.agents.fingerprints import panel_fields
from tracejury.agents.loading import prompt_hashes
from tracejury.agents.panel import Panel
from tracejury.agents.records import Label, Outcome, Reason, Route, Seat, Verdict
from tracejury.storage import read_utf8
from tracejury.traces import Record


class LabelledOpinion(Protocol):
    """What calibration reads of an opinion: `Opinion` has it, and so has an exported row's opinion."""

    @property
    def judge(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def confidence(self) -> float | None: ...  # noqa: D102
    @property
    def grounded(self) -> bool: ...  # noqa: D102
    @property
    def seat(self) -> Seat: ...  # noqa: D102


class Certified(Record):
    """What may be said of one outcome."""

    alpha: float
    """The risk allowed: P(wrong) <= alpha of a verdict that is drawn as `per` says."""
    per: Literal["question", "step"] = "question"
    """`question`: a question is drawn, then one of its kept verdicts; `step`: any kept verdict, approximately."""
    threshold: float | None
    """Verdicts whose probability of being wrong is at most this are kept; None: not certified, all abstain."""
    questions: int
    """Questions with at least one such verdict in the certifying half."""
    needed: int
    """Questions without a single mistake that it takes at the least."""
    note: str = ""
    """In words, for people: `certified ...` or `not certified: n questions, at least m needed`."""


class Calibrator(Record):
    """A panel's calibrator. `seats` says which panel it was fitted on; it applies to no other."""

    format: Literal["tracejury-calibrator-1", "tracejury-calibrator-2"] = "tracejury-calibrator-2"
    """1: fitted before citations were checked; it applies to panels without a checker alone."""
    panel: str
    seats: str
    """Fingerprint of what makes the panel's opinions and verdicts: `seats_of`."""
    judges: tuple[str, ...]
    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float
    delta: float
    """Each class's guarantee fails for at most this share of calibration draws."""
    supported: Certified
    error: Certified
    fitted_on: dict[str, str | int | float]
    """Run, data set, questions and steps of each half, seed."""

    def error_probability(self, verdict: Verdict, opinions: Iterable[LabelledOpinion]) -> float:
        """Return the calibrated probability that the step is wrong."""
        values = features(verdict.route is Route.RESOLVER, opinions, self.judges)
        score = self.intercept + sum(w * values[name] for name, w in zip(self.features, self.weights, strict=True))
        return 1 / (1 + math.exp(-max(-35.0, min(35.0, score))))

    def apply(self, verdict: Verdict, opinions: Sequence[LabelledOpinion]) -> Verdict:
        """Return the verdict with its calibrated confidence, or an abstention where that is below the threshold.

        Abstentions and failures pass unchanged: calibration takes verdicts back, it never makes one.
        """
        if verdict.outcome not in (Outcome.SUPPORTED, Outcome.ERROR):
            return verdict
        wrong_step = self.error_probability(verdict, opinions)
        rule = self.supported if verdict.outcome is Outcome.SUPPORTED else self.error
        mistaken = wrong_step if verdict.outcome is Outcome.SUPPORTED else 1 - wrong_step
        if rule.threshold is not None and mistaken <= rule.threshold:
            return verdict.model_copy(update={"confidence": 1 - mistaken})
        return Verdict(
            outcome=Outcome.ABSTAINED,
            route=verdict.route,
            reason=Reason.BELOW_THRESHOLD,
            confidence=1 - mistaken,
            citations=verdict.citations,
            majority_outcome=verdict.majority_outcome,
        )


def feature_names(judges: Sequence[str]) -> tuple[str, ...]:
    """Return the features' names, in order, for a panel of these judges."""
    each = [f"{judge}:{what}" for judge in judges for what in ("error", "supported")]
    return (*each, "agreement", "grounded_error", "grounded_supported", "by_resolver")


def features(by_resolver: bool, opinions: Iterable[LabelledOpinion], judges: Sequence[str]) -> dict[str, float]:
    """Return what a verdict's probability is computed from, by name.

    A judge's confidence weighs its label (1 where it gives none); judges without a vote are read too, for what their
    label tells beside the others. `agreement` is, of the asked judges with a vote, the share that says `error` less the
    share that says `supported`.
    """
    values = dict.fromkeys(feature_names(judges), 0.0)
    labelled = [o for o in opinions if o.label is not None]
    for opinion in labelled:
        name = f"{opinion.judge}:{opinion.label}"
        if name in values:
            values[name] = 1.0 if opinion.confidence is None else opinion.confidence
    voting = [o for o in labelled if o.seat is not Seat.LISTED]
    errors = [o for o in voting if o.label == Label.ERROR]
    supporters = [o for o in voting if o.label == Label.SUPPORTED]
    values["agreement"] = (len(errors) - len(supporters)) / max(1, len(voting))
    values["grounded_error"] = float(any(o.grounded for o in errors))
    values["grounded_supported"] = float(any(o.grounded for o in supporters))
    values["by_resolver"] = float(by_resolver)
    return values


def seats_of(panel: Panel, prompts: Mapping[str, str] | None = None) -> str:
    """Return the fingerprint of what makes a panel's opinions and verdicts.

    Args:
        panel: All of it counts but its name, its seed, and where and how fast its endpoints are asked.
        prompts: The prompts of its judges, as `prompt_hashes` returns them; None: those of today.
    """
    fields = panel_fields(
        panel, {"name", "description", "calibrator", "seed"}, endpoint_fields={"model", "reply_format", "params"}
    )
    fields["prompts"] = prompt_hashes(panel) if prompts is None else dict(prompts)
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def load_calibrator(path: Path, panel: Panel) -> Calibrator:
    """Read a calibrator for `panel`.

    Raises:
        ValueError: The file is none, or was fitted on another panel; the message says what to do.
    """
    try:
        calibrator = Calibrator.model_validate_json(read_utf8(path))
    except FileNotFoundError:
        raise ValueError(
            f"{path}: no such calibrator; write one with `tracejury quality calibrate RUN --out {path}`"
        ) from None
    except ValidationError as wrong:
        raise ValueError(f"{path}: not a calibrator file: {wrong.errors()[0]['msg']}") from None
    if calibrator.format == "tracejury-calibrator-1" and panel.checker is not None:
        raise ValueError(
            f"{path}: fitted before citations were checked, so its probabilities hold no more; adjudicate a "
            f"labelled batch with this panel and run `tracejury quality calibrate RUN --out {path}` again"
        )
    if calibrator.seats != seats_of(panel):
        raise ValueError(
            f"{path}: fitted on panel {calibrator.panel!r} with other judges, models, prompts, rules or evidence than "
            f"{panel.name!r} has now; adjudicate a labelled batch with this panel and run "
            "`tracejury quality calibrate` again"
        )
    return calibrator
