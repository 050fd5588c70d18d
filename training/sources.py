"""Questions and traces for the training stages, read through the readers of `tracejury.traces`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from tracejury.traces import Batch, Question
from tracejury.training.corpus import Pair
from tracejury.training.messages import READER, read_messages
from tracejury.training.recipe import RecipeError


def read_pairs(
    paths: Iterable[str | Path], reader: str = "native", *, arm: str | None = None, **params: object
) -> list[Pair]:
    """Return the traces with their questions; the reader `messages` takes conversations as they stand.

    Raises:
        RecipeError: The question of a trace is missing, or the paths hold no traces.
    """
    places = list(paths)
    if reader == READER:
        return [Pair(*pair) for pair in read_messages(places)]
    with Batch.open(places, reader, **params) as batch:
        pairs = []
        for trace in batch.traces():
            if arm is not None and trace.arm != arm:
                continue
            question = batch.question(trace.question_id)
            if question is None:
                raise RecipeError(f"{places}: trace {trace.id} has no question {trace.question_id}; give its file too.")
            pairs.append(Pair(question, trace))
        if not pairs:
            problems = "; ".join(map(str, batch.problems[:3]))
            raise RecipeError(f"{', '.join(map(str, places))}: no traces found{'; ' + problems if problems else ''}.")
        return pairs


def read_questions(
    paths: Iterable[str | Path],
    reader: str = "native",
    *,
    limit: int | None = None,
    first: int | None = None,
    **params: object,
) -> list[Question]:
    """Return the questions, each once; with `limit`, a sample by content alone; with `first`, the files' beginning.

    Raises:
        RecipeError: The paths hold no questions.
    """
    places = list(paths)
    with Batch.open(places, reader, **params) as batch:
        questions = list({q.id: q for q in batch.questions()}.values())
        if not questions:
            problems = "; ".join(map(str, batch.problems[:3]))
            raise RecipeError(
                f"{', '.join(map(str, places))}: no questions found{'; ' + problems if problems else ''}."
            )
    return first_questions(questions[:first], limit)


def first_questions(questions: list[Question], limit: int | None) -> list[Question]:
    """Return `limit` of the questions, those with the smallest hashes, in their order; all where it is None."""
    if limit is None or limit >= len(questions):
        return questions
    chosen = {q.id for q in sorted(questions, key=lambda q: hashlib.sha256(q.id.encode()).digest())[:limit]}
    return [q for q in questions if q.id in chosen]


def place(path: str, beside: Path) -> Path:
    """Resolve a path of an experiment: `$DATA` is the folder of data sets, other paths are relative to the file.

    Raises:
        RecipeError: There is no such file or folder.
    """
    if path.startswith("$DATA"):
        data = os.environ.get("TRACEJURY_DATA")
        if data is None:
            raise RecipeError(f"{path}: set TRACEJURY_DATA to the folder that holds the data sets.")
        resolved = Path(data) / path.removeprefix("$DATA").lstrip("/")
    else:
        resolved = beside / path
    if not resolved.exists():
        raise RecipeError(f"{resolved}: no such file or folder; the experiment names it.")
    return resolved
