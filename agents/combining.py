"""Combining votes by clusters: judges that err together share one vote, and clusters weigh by what they are worth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from tracejury.agents.records import Label
from tracejury.storage import read_utf8
from tracejury.traces import Record


class Cluster(Record):
    """Judges whose errors go together: they have one vote."""

    judges: tuple[str, ...] = Field(min_length=1)
    lead: str
    """The member with the highest skill; its label is the cluster's where the members are divided."""
    weight: float = Field(gt=0)


class Combination(Record):
    """Clusters and their weights, with the gain over the plain majority that was measured."""

    format: Literal["tracejury-weights-1"] = "tracejury-weights-1"
    run: str
    clusters: tuple[Cluster, ...] = Field(min_length=1)
    gain: float
    """Balanced accuracy less that of the plain majority, an abstention being credited 1/2; out of fold, by question."""
    gain_low: float | None
    gain_high: float | None
    questions: int

    @property
    def judges(self) -> frozenset[str]:
        """The judges that are in some cluster."""
        return frozenset(judge for cluster in self.clusters for judge in cluster.judges)

    def result(self, labels: Mapping[str, Label | None]) -> tuple[Label | None, bool]:
        """Combine one step's labels.

        Args:
            labels: Voting judge -> its label; None: it failed.

        Returns:
            The label of more than half of the whole weight, or None; and whether clusters that failed could have made
            one where there is none.
        """
        weight_of: dict[Label, float] = defaultdict(float)
        missing = 0.0
        for cluster in self.clusters:
            label = _label_of(cluster, labels)
            if label is None:
                missing += cluster.weight
            else:
                weight_of[label] += cluster.weight
        half = sum(cluster.weight for cluster in self.clusters) / 2
        winner = next((label for label, weight in weight_of.items() if weight > half), None)
        could_decide = missing > 0 and max(weight_of.values(), default=0.0) + missing > half
        return winner, winner is None and could_decide


def _label_of(cluster: Cluster, labels: Mapping[str, Label | None]) -> Label | None:
    """Return the label of most members, the lead's where they are divided; None: too few answered to tell."""
    labels_of_cluster = [labels.get(judge) for judge in cluster.judges]
    votes = Counter(label for label in labels_of_cluster if label is not None)
    winner = next((label for label, n in votes.items() if n > len(labels_of_cluster) / 2), None)
    return winner or labels.get(cluster.lead)


def load_combination(path: str, judges: frozenset[str]) -> Combination:
    """Read a file of weights for a panel with these voting judges.

    Raises:
        ValueError: The file is none, is about other judges, or shows no gain; the message says what to do.
    """
    hint = "write one with `tracejury panels weigh RUN --out FILE`"
    try:
        combination = Combination.model_validate_json(read_utf8(Path(path)))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file of weights; {hint}") from None
    except ValidationError as wrong:
        raise ValueError(f"{path}: not a file of weights ({wrong.errors()[0]['msg']}); {hint}") from None
    if combination.judges != judges:
        raise ValueError(f"{path}: weighs {sorted(combination.judges)}, the panel's votes are {sorted(judges)}; {hint}")
    if combination.gain_low is None or combination.gain_low <= 0:
        raise ValueError(
            f"{path}: no gain over the plain majority was measured ({combination.gain:+.3f}, lower end "
            f"{combination.gain_low}); use `combine: majority`"
        )
    return combination
