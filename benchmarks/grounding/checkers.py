"""Checkers as the product loads them, with their raw answers kept on disk: a second run reads nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tracejury.agents import Relation
from tracejury.agents.checkers import (
    CheckerAsk,
    CheckerCalibration,
    CheckerSpec,
    LoadedChecker,
    Pair,
    Probabilities,
    ValidatedChecker,
    load_checker,
)
from tracejury.models import Endpoint
from tracejury.traces import OWN_PACKAGE

_AT_ONCE = 32


class CachedChecker:
    """A checker whose answers are kept in an SQLite file, by its identity."""

    def __init__(self, checker: ValidatedChecker, identity: str, path: Path) -> None:
        self._checker = checker
        self.kind, self.summary, self.needs_endpoint = checker.kind, checker.summary, checker.needs_endpoint
        self.can_contradict, self.identity = checker.can_contradict, checker.identity
        path.parent.mkdir(parents=True, exist_ok=True)
        self._answers = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
        self._answers.execute("pragma journal_mode=wal")
        self._answers.execute(
            "create table if not exists answers (identity, pair, supports, contradicts, silent,"
            " primary key (identity, pair)) without rowid"
        )
        self._key = identity
        self.pairs_read = 0

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; only pairs that are not on disk are read."""
        answers = {pair: stored for pair in pairs if (stored := self._stored(pair)) is not None}
        unread = list(dict.fromkeys(pair for pair in pairs if pair not in answers))
        for start in range(0, len(unread), _AT_ONCE):
            part = unread[start : start + _AT_ONCE]
            read = await self._checker.probabilities(part, ask)
            rows = [(self._key, _name(pair), *answer) for pair, answer in zip(part, read, strict=True)]
            self._answers.executemany("insert or replace into answers values (?, ?, ?, ?, ?)", rows)
            answers |= zip(part, read, strict=True)
            self.pairs_read += len(part)
        return [answers[pair] for pair in pairs]

    def _stored(self, pair: Pair) -> Probabilities | None:
        query = "select supports, contradicts, silent from answers where identity = ? and pair = ?"
        row = self._answers.execute(query, (self._key, _name(pair))).fetchone()
        return Probabilities(*row) if row else None


def cached_checker(
    name: str, work: Path, endpoint: Endpoint | None = None, calibration: Path | None = None
) -> LoadedChecker:
    """Load a checker with the calibration that ships, or the one of a file, and keep its answers under `work`."""
    spec = CheckerSpec(
        name=name,
        endpoint=endpoint.name if endpoint else None,
        calibration=str(calibration) if calibration else None,
    )
    loaded = load_checker(spec, endpoint)
    cached = CachedChecker(loaded.checker, loaded.identity, work / "answers.db")
    # Ours, so that no time limit for other packages' checkers ends a run on a crowded machine.
    validated = ValidatedChecker(cached, loaded.checker.kind, OWN_PACKAGE)
    return LoadedChecker(validated, loaded.calibration, endpoint.model if endpoint else None)


def threshold_of(checker: LoadedChecker, relation: Relation, citations: int) -> float:
    """Return the least probability that counts; more than 1 where nothing counts."""
    threshold = checker.threshold(relation, citations)
    return 2.0 if threshold is None else threshold


def calibration_summary(calibration: CheckerCalibration | None) -> dict[str, object] | None:
    """Return what a results file says about a calibration."""
    if calibration is None:
        return None
    named = json.loads(calibration.model_dump_json())
    return {key: named[key] for key in ("identity", "scale", "offsets", "thresholds", "alpha", "n", "groups")}


def _name(pair: Pair) -> str:
    return json.dumps([pair.claim, *pair.sentences], ensure_ascii=False)
