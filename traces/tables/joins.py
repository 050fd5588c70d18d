"""Questions in a file of their own, found for a reply by a value that both files have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.storage import KeyValueStore
from tracejury.traces.records import Problem, Question
from tracejury.traces.tables import names
from tracejury.traces.tables.files import TableRow, table_rows
from tracejury.traces.tables.paths import lift
from tracejury.traces.tables.profile import TableProfile


class Join(NamedTuple):
    """Which value of a reply is which value of a question."""

    reply_path: str
    question_path: str


def parse_join(text: str) -> Join:
    """Return the join that `REPLY_FIELD=QUESTION_FIELD` names.

    Raises:
        ValueError: It is not of this form.
    """
    reply_path, _, question_path = text.partition("=")
    if not reply_path or not question_path:
        raise ValueError(f"--join {text!r} is not of the form FIELD=FIELD, such as custom_id=id")
    return Join(reply_path, question_path)


def propose_join(replies: TableProfile, questions: Path) -> Join | None:
    """Return the pair of identifying fields that have the most values in common; None where no pair has half."""
    rows = [row.data for row in table_rows(questions) if isinstance(row, TableRow)]
    profile = TableProfile(rows)
    shares: list[tuple[float, int, Join]] = []
    for reply_path in _identifying(replies):
        values = {join_value(value) for value in replies.values(reply_path)}
        for question_path in _identifying(profile):
            question_values = {join_value(lift(row, question_path)) for row in rows}
            share = len(values & question_values) / max(len(values), 1)
            if share >= 0.5 and len(question_values) > 0.9 * len(rows):
                shares.append((share, -len(shares), Join(reply_path, question_path)))
    return max(shares)[2] if shares else None


def _identifying(profile: TableProfile) -> list[str]:
    fields = [f for f in profile.fields() if f.kind in ("text", "number") and f.filled and f.mean_length <= 200]
    named = [f.path for f in fields if names.plain(f.path) in names.ID or names.plain(f.path) in names.STEM]
    return sorted(named, key=lambda path: path.count("."))


def join_value(value: object) -> str:
    """Return a value as it is compared: 7, 7.0 and "7" are one."""
    text = "" if value is None else str(value).strip()
    return text.removesuffix(".0") if text.removesuffix(".0").isdecimal() else text


class QuestionsByKey:
    """The questions of another file, on disk, by the value that a reply names."""

    def __init__(self, spool: KeyValueStore[str]) -> None:
        self._spool = spool

    def fill(self, rows: Iterable[tuple[Question, TableRow]], join: Join) -> Iterator[Problem]:
        """Keep the questions; a value that two different questions share is a problem."""
        for question, row in rows:
            value = join_value(lift(row.data, join.question_path))
            if not value:
                reason = f"the question has no {join.question_path!r} to be found by"
                yield Problem(file=str(row.file), line=row.line, reason=reason, hint="name another field with --join")
            elif not self._spool.add("joined", value, question.model_dump_json()):
                earlier = Question.model_validate_json(self._spool.get("joined", value) or "")
                if earlier.id != question.id:
                    reason = f"{join.question_path} {value!r} belongs to two questions; the first one stays"
                    hint = "name a field with --join that is different for every question"
                    yield Problem(file=str(row.file), line=row.line, reason=reason, hint=hint)

    def find(self, row: Mapping[str, Any], join: Join) -> Question | None:
        """Return the question that a reply belongs to."""
        stored = self._spool.get("joined", join_value(lift(row, join.reply_path)))
        return None if stored is None else Question.model_validate_json(stored)
