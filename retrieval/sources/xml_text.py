"""Text of XML documents: elements by their plain names, inline marks kept as text, blocks apart."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree.ElementTree import Element

_BLOCKS = frozenset(
    {
        *("p", "para", "paragraph", "title", "item", "list-item", "row", "tr", "list", "table", "def", "label"),
        *("br", "break", "newline", "disp-formula", "equation", "caption"),
    }
)
_CELLS = frozenset({"td", "th", "entry"})
_NOT_TEXT = frozenset({"annotation", "annotation-xml", "tex-math", "apply"})
"""Further spellings of a formula beside its MathML, and content MathML, of which nothing but its letters would stay."""
_REFERENCES = frozenset({"xref", "link", "fn", "footnote"})
_TO_PARTS_OF_THE_TEXT = frozenset({"fig", "table", "sec", "app", "disp-formula", "supplementary-material"})
_SUPERSCRIPT = str.maketrans("0123456789+-\u2212\u2013()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁽⁾")


# XML 1.0 allows neither character in a document.
_BREAK, _LEFT_OUT = "\0", "\1"
_WORDS = r"(?:and|or|see|also|e\.g\.|cf\.|figs?\.?|figures?|tables?|refs?\.?)"
_EMPTY_BRACKETS = re.compile(
    rf"\s*[(\[](?=[^)\]]{{0,200}}{_LEFT_OUT})(?:[\s{_LEFT_OUT},;.\u2013\u2014-]|\b{_WORDS}(?=\W))*[)\]]", re.IGNORECASE
)
_EMPTY_RUN = re.compile(rf"\s*{_LEFT_OUT}(?:[\s,;\u2013-]*{_LEFT_OUT})*(?=([\s\w])?)")


def first_text(element: Element, *paths: str) -> str:
    """Return the text of the first of these paths that has some, in one line; "" for none."""
    for path in paths:
        child = element.find(path)
        if child is not None and (text := " ".join(block_text(child).split())):
            return text
    return ""


def block_text(element: Element, skip: Collection[str] = ()) -> str:
    """Return the text below an element: a line a block, cells of a table apart by ` | `.

    A superscript stays one (10⁹, not 109). References by number to literature and notes are left out, with the
    brackets that hold nothing else.

    Args:
        element: The element.
        skip: Names of elements that are left out, with all below them.
    """
    parts: list[str] = []
    _collect(element, frozenset(skip), parts)
    text = _EMPTY_RUN.sub(_space, _EMPTY_BRACKETS.sub(_LEFT_OUT, "".join(parts)))
    lines = (" ".join(line.split()).strip(" |") for line in text.split(_BREAK))
    return "\n".join(line for line in lines if line)


def _collect(element: Element, skip: frozenset[str], parts: list[str]) -> None:
    tag = element.tag
    if not isinstance(tag, str) or tag in skip or tag in _NOT_TEXT:
        return
    if tag in _REFERENCES and _is_left_out(element):
        parts.append(_LEFT_OUT)
        return
    mark = _BREAK if tag in _BLOCKS else " | " if tag in _CELLS else ""
    parts.append(mark)
    parts.append(element.text or "")
    for n, below in enumerate(element):
        if n and tag == "mfrac":
            parts.append("/")
        inner: list[str] = []
        _collect(below, skip, inner)
        raised = below.tag in ("sup", "superscript") or (tag == "msup" and n == 1)
        parts.append(_raised("".join(inner)) if raised else "".join(inner))
        parts.append(below.tail or "")
    parts.append(mark if mark == _BREAK else "")


def _is_left_out(element: Element) -> bool:
    """Tell a reference that says nothing by itself: a number, an asterisk, an empty link, a note."""
    if element.tag in ("fn", "footnote"):
        return True
    letters = sum(c.isalpha() for c in "".join(element.itertext()))
    if element.tag == "xref":
        return letters < 2 and element.get("ref-type") not in _TO_PARTS_OF_THE_TEXT
    return not letters


def _raised(text: str) -> str:
    """Return a power or a charge in raised characters; marks and ordinals (`a`, `st`, `TM`) as they are."""
    bare = text.strip()
    is_number = any(c.isdigit() for c in bare) and not bare.translate(_SUPERSCRIPT).strip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾,. ")
    return bare.translate(_SUPERSCRIPT) if is_number else text


def _space(match: re.Match[str]) -> str:
    return " " if match[1] else ""
