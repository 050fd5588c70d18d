"""Taking identifiers out of a question and its trace: typed placeholders, the same one for the same value."""

from __future__ import annotations

from tracejury.traces.identifiers import identifiers
from tracejury.traces.records import Question, Trace


class Placeholders:
    """Replaces identifiers by `[DATE_1]`, `[NAME_2]`, ...: numbered as they come, one number for one value."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def replace(self, text: str) -> str:
        """Return `text` with placeholders; placeholders that stand in it already are left as they are."""
        names = tuple(value for kind, value in self._given if kind == "NAME")
        parts, at = [], 0
        for found in identifiers(text, names):
            parts += [text[at : found.start], self._placeholder(found.kind, text[found.start : found.end])]
            at = found.end
        return "".join((*parts, text[at:]))

    def _placeholder(self, kind: str, value: str) -> str:
        key = (kind, value if kind == "NAME" else "".join(c for c in value.casefold() if c.isalnum()))
        # A surname alone is whoever was named in full.
        whole = next((k for k in self._given if kind == "NAME" == k[0] and k[1].split()[-1] == value), key)
        if whole not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[whole] = f"[{kind}_{self._counts[kind]}]"
        return self._given[whole]


def deidentify(question: Question, trace: Trace) -> tuple[Question, Trace]:
    """Return the question and its trace without identifiers; both as they are where there is none.

    A placeholder means the same in both, so that a step can still be held against the vignette. Ids are hashes of what
    is said, so they change with it: `meta.deidentified_from` holds the former one. Keys, arms and models are untouched;
    no judge sees them.
    """
    made = Placeholders()
    asked = question.model_copy(
        update={
            "stem": made.replace(question.stem),
            "options": {letter: made.replace(text) for letter, text in question.options.items()},
            "explanation": question.explanation and made.replace(question.explanation),
        }
    )
    steps = trace.steps and tuple(s.model_copy(update={"text": made.replace(s.text)}) for s in trace.steps)
    said = trace.model_copy(
        update={
            "text": made.replace(trace.text),
            "steps": steps,
            # A letter stays; a free answer is text like any other.
            "answer": trace.answer and made.replace(trace.answer),
        }
    )
    asked, said = Question.model_validate(asked.model_dump()), Trace.model_validate(said.model_dump())
    if asked.id != question.id:
        asked = asked.model_copy(update={"meta": {"deidentified_from": question.id} | asked.meta})
    said = Trace.model_validate(said.model_dump() | {"question_id": asked.id})
    if said.id != trace.id:
        said = said.model_copy(
            update={"meta": said.meta | {"deidentified_from": trace.meta.get("deidentified_from", trace.id)}}
        )
    return asked, said
