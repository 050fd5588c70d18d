"""Taking identifiers out of a question and its trace: typed placeholders, the same one for the same value."""

from __future__ import annotations

from tracejury.traces.identifiers import identifiers
from tracejury.traces.records import Question, Trace


class Placeholders:
    """Replaces identifiers by `[DATE_1]`, `[NAME_2]`, ...: numbered as they come, one number for one value."""

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def replace(self, text: str) -> str:
        """Return `text` with placeholders; placeholders that stand in it already are left as they are."""
        names = tuple(value for kind, value in self._placeholders if kind == "NAME")
        parts, at = [], 0
        for identifier in identifiers(text, names):
            parts += [
                text[at : identifier.start],
                self._placeholder(identifier.kind, text[identifier.start : identifier.end]),
            ]
            at = identifier.end
        return "".join((*parts, text[at:]))

    def _placeholder(self, kind: str, value: str) -> str:
        key = (kind, value if kind == "NAME" else "".join(c for c in value.casefold() if c.isalnum()))
        # A surname alone is whoever was named in full.
        whole = next((k for k in self._placeholders if kind == "NAME" == k[0] and k[1].split()[-1] == value), key)
        if whole not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[whole] = f"[{kind}_{self._counts[kind]}]"
        return self._placeholders[whole]


def deidentify(question: Question, trace: Trace) -> tuple[Question, Trace]:
    """Return the question and its trace without identifiers; both as they are where there is none.

    A placeholder means the same in both, so that a step can still be held against the vignette. Ids are hashes of the
    text, so they change with it: `meta.deidentified_from` holds the former one. Keys, arms and models are untouched;
    no judge sees them.
    """
    placeholders = Placeholders()
    clean_question = question.model_copy(
        update={
            "stem": placeholders.replace(question.stem),
            "options": {letter: placeholders.replace(text) for letter, text in question.options.items()},
            "explanation": question.explanation and placeholders.replace(question.explanation),
        }
    )
    steps = trace.steps and tuple(s.model_copy(update={"text": placeholders.replace(s.text)}) for s in trace.steps)
    clean_trace = trace.model_copy(
        update={
            "text": placeholders.replace(trace.text),
            "steps": steps,
            # A letter stays; a free answer is text like any other.
            "answer": trace.answer and placeholders.replace(trace.answer),
        }
    )
    clean_question, clean_trace = (
        Question.model_validate(clean_question.model_dump()),
        Trace.model_validate(clean_trace.model_dump()),
    )
    if clean_question.id != question.id:
        clean_question = clean_question.model_copy(
            update={"meta": {"deidentified_from": question.id} | clean_question.meta}
        )
    clean_trace = Trace.model_validate(clean_trace.model_dump() | {"question_id": clean_question.id})
    if clean_trace.id != trace.id:
        clean_trace = clean_trace.model_copy(
            update={"meta": clean_trace.meta | {"deidentified_from": trace.meta.get("deidentified_from", trace.id)}}
        )
    return clean_question, clean_trace
