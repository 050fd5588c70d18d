"""Answers that a reply marks: tags, fields of JSON, whole or broken, and boxes of LaTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_TAGGED = re.compile(
    r"<(answer|final_answer|final|final_choice|answer_choice|choice|solution|ans|letter)>(.*?)(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ANY_TAG = re.compile(r"</?[a-z_]{1,20}>", re.IGNORECASE)
_FIELDS = (
    *("answer_choice", "answer", "final_answer", "answer_idx", "choice", "prediction", "final", "letter"),
    *("answer_letter", "selected_option", "correct_answer", "correct_option", "respuesta", "réponse", "reponse"),
    *("antwort", "resposta", "risposta", "ответ", "答案", "正确答案", "答え", "回答", "正解", "정답", "답", "답변"),
    *("الإجابة", "الجواب", "उत्तर"),
)
_FIELD = re.compile(
    rf"""["'](?:{"|".join(_FIELDS)})["']\s*:\s*"""
    r"""(?:"((?:[^"\\]|\\.){0,500})|'([^'\n]{0,500})|([A-Za-z]+)|\[([^\]\n]{0,500}))"""
)
# Braces in a box are matched two deep (\boxed{\frac{1}{2}}); a box that is cut off counts with what it holds.
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]{0,99}\}){0,99}(?:\}|\Z)){1,300})")
_STYLED = re.compile(r"\\(?:(?:text|math)[a-z]{0,6}|bf|rm|sf|tt|emph|underline|bm|bold[a-z]{0,6})\s*\{([^{}]*)\}?")


def tagged_answer(text: str) -> str | None:
    """Return what stands in the last of the answer's tags, in the innermost of them; None where there is no tag."""
    contents = [content for match in _TAGGED.finditer(text) if (content := match.group(2).strip())]
    if not contents:
        return None
    inner = tagged_answer(contents[-1])
    return inner if inner is not None else _ANY_TAG.sub(" ", contents[-1]).strip()


def json_values(text: str) -> Iterator[str]:
    """Yield what stands under an answer's field in JSON, whole or broken; of broken JSON the last one first."""
    data = None
    if text.lstrip().startswith(("{", "[{")):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, dict):
        yield from _field_values(data)
        return
    # Looking for a letter is a hundred times as quick as the pattern.
    if ":" not in text or ('"' not in text and "'" not in text):
        return
    for match in reversed(list(_FIELD.finditer(text))):
        value = next((group for group in match.groups() if group), "")
        if value.strip(" \"'\\"):
            yield value.replace('\\"', '"').replace('"', "").replace("'", "")


def _field_values(data: Mapping[str, object]) -> Iterator[str]:
    for name in _FIELDS:
        value = data.get(name)
        if isinstance(value, dict):
            yield from _field_values(value)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if isinstance(value, str | int | float) and str(value).strip():
            yield str(value)


def boxes(text: str) -> list[str]:
    """Return what stands in the boxes of `text`, in order, without the commands that only style it."""
    values = (_STYLED.sub(r"\1", m.group(1)).strip() for m in _BOX.finditer(text)) if "\\" in text else ()
    return [box for box in values if box]
