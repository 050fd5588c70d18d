"""Text of XML documents: elements by their plain names, inline marks kept as text, blocks apart."""

from __future__ import annotations

from collections.abc import Collection
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from tracejury.retrieval.sources.xml_files import parse_xml
from tracejury.traces import Problem

_BLOCKS = frozenset(
    {"p", "para", "paragraph", "title", "item", "list-item", "row", "tr", "list", "table", "def", "label"}
)
_CELLS = frozenset({"td", "th", "entry"})


def parse_plain(raw: bytes, file: str, roots: Collection[str], format: str) -> Element | Problem:
    """Parse XML, and take the namespaces off the names of its elements.

    Args:
        raw: The file's bytes.
        file: Its name, for the problem.
        roots: The names that the root may have.
        format: What the format is called, for the problem.
    """
    try:
        root: Element = fromstring(raw)
    except Exception:  # noqa: BLE001 - `parse_xml` says what is wrong
        return parse_xml(raw, file, next(iter(roots)), format)
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    if root.tag not in roots:
        reason = f"its root is <{root.tag}>, that of {format} is <{next(iter(roots))}>"
        return Problem(file=file, reason=reason, hint="give a file of that format")
    return root


def first_text(element: Element, *paths: str) -> str:
    """Return the text of the first of these paths that has some, in one line; "" for none."""
    for path in paths:
        child = element.find(path)
        if child is not None and (text := " ".join("".join(child.itertext()).split())):
            return text
    return ""


def block_text(element: Element, skip: Collection[str] = ()) -> str:
    """Return the text below an element: a line a block, cells of a table apart by ` | `.

    Args:
        element: The element.
        skip: Names of elements that are left out, with all below them.
    """
    parts: list[str] = []
    _collect(element, frozenset(skip), parts)
    lines = (" ".join(line.split()).strip(" |") for line in "".join(parts).split("\0"))
    return "\n".join(line for line in lines if line)


def _collect(element: Element, skip: frozenset[str], parts: list[str]) -> None:
    if not isinstance(element.tag, str) or element.tag in skip:
        return
    mark = "\0" if element.tag in _BLOCKS else " | " if element.tag in _CELLS else ""
    parts.append(mark)
    parts.append(element.text or "")
    for below in element:
        _collect(below, skip, parts)
        parts.append(below.tail or "")
    parts.append(mark if mark == "\0" else "")
