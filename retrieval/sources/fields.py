"""From a row of named values to a document: which field holds what, by its name or by a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.traces import Problem

DEFAULT_FIELDS: Mapping[str, Sequence[str]] = {
    "key": ("id", "key", "_id", "pmid"),
    "title": ("title", "name", "heading"),
    "text": ("text", "contents", "content", "body", "answer"),
    "citation": ("citation", "reference"),
    "url": ("url", "link", "doi"),
    "date": ("date", "date_released", "published", "year"),
    "license": ("license", "licence"),
    "superseded_by": ("superseded_by",),
}


class Fields:
    """Reads documents out of rows.

    Args:
        file: The file that the rows come from; problems name it.
        source: What the source is called.
        license: The licence of every row that names none.
        citation: The citation of every row that has none; `{field}` takes a field of the row.
        mapping: Document field -> field of the row, or a template with `{field}`.
    """

    def __init__(self, file: str, source: str, license: str, citation: str, mapping: Mapping[str, str] | None) -> None:
        unknown = sorted(set(mapping or {}) - set(DEFAULT_FIELDS))
        if unknown:
            raise ValueError(f"fields: no document field {unknown[0]!r}; there are {', '.join(DEFAULT_FIELDS)}")
        self._file, self._source, self._license, self._citation = file, source, license, citation
        self._mapping = dict(mapping or {})

    def document(self, row: Mapping[str, Any], line: int) -> Document | Problem:
        """Return the row's document, or why there is none."""
        text = self._value(row, "text")
        if not text or not text.strip():
            text_field = self._mapping.get("text") or " / ".join(DEFAULT_FIELDS["text"])
            hint = 'name the field: --set "fields={text: NAME}"'
            return Problem(file=self._file, line=line, reason=f"no text under {text_field!r}", hint=hint)
        title = self._value(row, "title") or self._source
        return Document(
            source=self._source,
            title=title,
            text=text,
            citation=self._value(row, "citation") or (fill(self._citation, row) if self._citation else title),
            url=self._value(row, "url"),
            date=self._value(row, "date"),
            license=self._value(row, "license") or self._license,
            superseded_by=self._value(row, "superseded_by"),
            key=self._value(row, "key") or str(line),
        )

    def _value(self, row: Mapping[str, Any], field: str) -> str | None:
        template = self._mapping.get(field)
        if template is not None:
            value = fill(template, row) if "{" in template else row.get(template)
        else:
            value = next((row[name] for name in DEFAULT_FIELDS[field] if row.get(name) not in (None, "")), None)
        return None if value is None else str(value)


def fill(template: str, row: Mapping[str, Any]) -> str:
    """Fill `{field}` from `row` in one pass; a missing field gives nothing, braces in values stay as they are."""
    out: list[str] = []
    for piece in template.split("{"):
        name, brace, rest = piece.partition("}")
        out.append(piece if not brace or not out else f"{row.get(name) or ''}{rest}")
    return "".join(out)
