"""Notes that readers leave on steps. A note is no review: no figure counts it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.tables import step_note
from tracejury.traces import Record


class StepNote(Record):
    """What somebody wrote beside a step."""

    step_id: str
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
        c = step_note.c
        with self.engine.connect() as connection:
            row = connection.execute(select(step_note).where(c.run_id == run.id, c.step_id == step_id)).one_or_none()
        return StepNote(step_id=row.step_id, text=row.text, saved=row.saved) if row else None

    def in_run(self, run: Run) -> list[StepNote]:
        """Return all notes of a run, the latest first."""
        query = select(step_note).where(step_note.c.run_id == run.id).order_by(step_note.c.saved.desc())
        with self.engine.connect() as connection:
            return [StepNote(step_id=r.step_id, text=r.text, saved=r.saved) for r in connection.execute(query)]
