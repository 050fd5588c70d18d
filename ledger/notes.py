"""Notes that readers leave on steps. A note is no review: no figure counts it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.tables import deliberation_table, step_note
from tracejury.traces import Record


class StepNote(Record):
    """What somebody wrote beside a step."""

    step_id: str
    trace_id: str
    step_index: int
    """From 0."""
    text: str
    saved: str
    """ISO 8601, UTC."""


class Notes:
    """The notes of a ledger, one a step."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine
        self._dialect: Any = postgresql if self.engine.dialect.name == "postgresql" else sqlite

    def save(self, run: Run, step_id: str, text: str) -> None:
        """Save a step's note in place of the earlier one; an empty text deletes it."""
        c = step_note.c
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            if not text.strip():
                connection.execute(delete(step_note).where(c.run_id == run.id, c.step_id == step_id))
                return
            values = {"run_id": run.id, "step_id": step_id, "text": text, "saved": datetime.now(UTC).isoformat()}
            statement = self._dialect.insert(step_note).values(values)
            changed = {name: statement.excluded[name] for name in ("text", "saved")}
            connection.execute(statement.on_conflict_do_update(index_elements=["run_id", "step_id"], set_=changed))

    def of(self, run: Run, step_id: str) -> StepNote | None:
        """Return the step's note, or None."""
        notes = self._read(_NOTES.where(step_note.c.run_id == run.id, step_note.c.step_id == step_id))
        return notes[0] if notes else None

    def in_run(self, run: Run) -> list[StepNote]:
        """Return all notes of a run, the latest first."""
        return self._read(_NOTES.where(step_note.c.run_id == run.id).order_by(step_note.c.saved.desc()))

    def _read(self, query: Select[Any]) -> list[StepNote]:
        """Read notes, then where their steps stand: joined, SQLite would go through all steps of the run."""
        d = deliberation_table.c
        with self.engine.connect() as connection:
            notes = connection.execute(query).all()
            ids = [note.step_id for note in notes]
            places = select(d.run_id, d.step_id, d.trace_id, d.step_index).where(d.step_id.in_(ids))
            if notes:
                places = places.where(d.run_id == notes[0].run_id)
            found = {row.step_id: row for row in connection.execute(places)} if notes else {}
        return [
            StepNote(
                step_id=note.step_id,
                trace_id=found[note.step_id].trace_id,
                step_index=found[note.step_id].step_index,
                text=note.text,
                saved=note.saved,
            )
            for note in notes
            if note.step_id in found
        ]


_NOTES = select(step_note)
