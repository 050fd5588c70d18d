"""A checker ready for use, with its calibration."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from tracejury.agents.checkers.calibration import CheckerCalibration, load_calibration
from tracejury.agents.checkers.contracts import CheckerAsk, CheckerError, Pair, Probabilities
from tracejury.agents.checkers.spec import CheckerSpec
from tracejury.agents.checkers.validation import ValidatedChecker, make_checker
from tracejury.agents.evidence_records import Relation
from tracejury.models import Endpoint

_SHIPPED = Path(__file__).parents[1] / "weights"
_REMEMBERED = 50_000
_CHUNK = 64


class LoadedChecker:
    """Answers pairs with calibrated probabilities, and remembers the answers of a run.

    Args:
        checker: The checker.
        calibration: None: its probabilities are as they come, and it grounds nothing.
        model: The model of the endpoint that it asks, where it asks one.
    """

    def __init__(
        self, checker: ValidatedChecker, calibration: CheckerCalibration | None = None, model: str | None = None
    ) -> None:
        self.checker = checker
        self.calibration = calibration
        self.identity = identity_of(checker, model)
        self._answers: OrderedDict[Pair, Probabilities] = OrderedDict()

    def threshold(self, relation: Relation, citations: int) -> float | None:
        """Return the least P(relation) that counts; None: an uncalibrated checker grounds nothing."""
        return self.calibration.threshold(relation, citations) if self.calibration else None

    def discounts(self, relation: Relation) -> bool:
        """Tell whether the rest of the cited evidence has a say in this relation; see `CheckerCalibration`."""
        return self.calibration is not None and relation in self.calibration.discounted

    async def check(self, pairs: Sequence[Pair], ask: CheckerAsk | None = None) -> list[Probabilities]:
        """Return one `Probabilities` a pair, calibrated where there is a calibration.

        Args:
            pairs: In any order, repetitions allowed; each different pair is read once in a run.
            ask: The way to the checker's endpoint; None where it has none.

        Raises:
            CallFailed: The model gave no usable reply.
            CheckerError: The checker's answer is none.
        """
        answers = {pair: self._answers[pair] for pair in pairs if pair in self._answers}
        unread = list(dict.fromkeys(pair for pair in pairs if pair not in answers))
        # One call for all pairs of a step; without a model, in parts, so that a cancelled run ends soon.
        size = max(1, len(unread)) if self.checker.needs_endpoint else _CHUNK
        for start in range(0, len(unread), size):
            part = unread[start : start + size]
            read = await self.checker.probabilities(part, ask)
            answers |= zip(part, self.calibration.apply(read) if self.calibration else read, strict=True)
        for pair, answer in answers.items():
            self._answers[pair] = answer
            self._answers.move_to_end(pair)
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return [answers[pair] for pair in pairs]


def identity_of(checker: ValidatedChecker, model: str | None) -> str:
    """Return what a calibration holds for: the checker's own identity, and the model that it asks."""
    return f"{checker.identity} of {model}" if checker.needs_endpoint and model else checker.identity


def load_checker(
    spec: CheckerSpec, endpoint: Endpoint | None = None, calibration: CheckerCalibration | None = None
) -> LoadedChecker:
    """Make a panel's checker, with the calibration that its spec names.

    Args:
        spec: The panel's checker.
        endpoint: The endpoint that the spec names.
        calibration: Used in place of the spec's file.

    Raises:
        UnknownNameError: No checker of this name is installed.
        CheckerError: The checker cannot be made, asks a model and has none, or the calibration is another's.
    """
    checker = make_checker(spec.name, spec.params)
    if checker.needs_endpoint and endpoint is None:
        raise CheckerError(f"checker {spec.name!r} asks a model: name its endpoint (`checker: {{endpoint: NAME}}`)")
    model = endpoint.model if endpoint else None
    identity = identity_of(checker, model)
    if calibration is None and spec.calibration is not None:
        calibration = load_calibration(Path(spec.calibration), identity)
    shipped = _SHIPPED / f"{spec.name}-calibration.json"
    if calibration is None and shipped.is_file():
        measured = CheckerCalibration.model_validate_json(shipped.read_text("utf-8"))
        # Other params, other weights: what ships says nothing about them.
        calibration = measured if measured.identity == identity else None
    if calibration is not None and calibration.identity != identity:
        raise CheckerError(f"the calibration was fitted on {calibration.identity!r}, and the checker is {identity!r}")
    return LoadedChecker(checker, calibration, model)
