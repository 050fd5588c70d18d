"""XML from anywhere, through defusedxml: no entity is expanded, no external file is read."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from html.entities import html5
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from tracejury.traces import Problem

_DEEPEST = 200
"""Elements within elements; documents have some twenty, and reading goes as deep as they do."""
_TOO_DEEP, _AGAIN = f"elements nested over {_DEEPEST} deep", "get the file from its publisher again"
_NAMED_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_OF_XML = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})


def parse_xml(raw: bytes, file: str | Path, root: str | None, format: str) -> Element | Problem:
    """Parse `raw`.

    Args:
        raw: The file's bytes.
        file: Its name, for the problem.
        root: The tag that the root must have; None: any.
        format: What the format is called, for the problem.

    Returns:
        The root element, or what is wrong with the file.
    """
    try:
        element: Element = fromstring(raw)
    except DefusedXmlException as bomb:
        reason = f"refused: the file declares entities ({bomb}), as XML bombs do"
        return Problem(file=str(file), reason=reason, hint="get the file from its publisher again")
    except (ParseError, ValueError, LookupError) as bad:
        line = bad.position[0] if isinstance(bad, ParseError) else None
        return Problem(file=str(file), line=line, reason=f"not valid XML: {bad}", hint="get the file again")
    if root is not None and element.tag != root:
        reason = f"its root is <{element.tag}>, that of {format} is <{root}>"
        return Problem(file=str(file), reason=reason, hint="give a file of that format")
    return element


def parse_plain(raw: bytes, file: str, roots: Collection[str], format: str) -> Element | Problem:
    """Parse XML, and take the namespaces off the names of its elements.

    Named characters that the document's DTD defines (`&lambda;`) are read as HTML's of the same name.

    Args:
        raw: The file's bytes.
        file: Its name, for the problem.
        roots: The names that the root may have.
        format: What the format is called, for the problem.
    """
    try:
        root: Element = fromstring(raw)
    except Exception:  # noqa: BLE001 - `parse_xml` says what is wrong
        parsed = parse_xml(_NAMED_ENTITY.sub(_character, raw), file, None, format)
        if isinstance(parsed, Problem):
            return parsed
        root = parsed
    plain_names(root)
    if root.tag not in roots:
        reason = f"its root is <{root.tag}>, that of {format} is <{next(iter(roots))}>"
        return Problem(file=file, reason=reason, hint="give a file of that format")
    if _is_too_deep(root):
        return Problem(file=file, reason=_TOO_DEEP, hint=_AGAIN)
    return root


def records(raw: bytes, file: str, name: str, format: str) -> Iterator[Element | Problem]:
    """Yield the elements `name` of an XML file, one at a time, so that its tree is never held whole.

    Args:
        raw: The file's bytes.
        file: Its name, for the problem.
        name: The element's name.
        format: What the format is called, for the problem.
    """
    count = 0
    try:
        events = iterparse(io.BytesIO(raw), events=("start", "end"))
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag.rpartition("}")[2] == name:
                count += 1
                plain_names(element)
                yield Problem(file=file, reason=_TOO_DEEP, hint=_AGAIN) if _is_too_deep(element) else element
                root.clear()
    except DefusedXmlException as bomb:
        yield Problem(file=file, reason=f"refused: the file declares entities ({bomb})", hint=_AGAIN)
    except (ParseError, ValueError, LookupError) as bad:
        line = bad.position[0] if isinstance(bad, ParseError) else None
        yield Problem(file=file, line=line, reason=f"not valid XML after {count} records: {bad}", hint=_AGAIN)
    else:
        if not count:
            reason = f"its root is <{root.tag}>, and it holds no <{name}>, as files of {format} do"
            yield Problem(file=file, reason=reason, hint="give a file of that format")


def plain_names(root: Element) -> None:
    """Take the namespaces off the names of an element and of all below it."""
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]


def _is_too_deep(root: Element) -> bool:
    level = [root]
    for _ in range(_DEEPEST):
        level = [below for element in level for below in element]
        if not level:
            return False
    return True


def _character(match: re.Match[bytes]) -> bytes:
    name = match[1]
    if name in _OF_XML or (text := html5.get(f"{name.decode()};")) is None:
        return match[0]
    return "".join(f"&#{ord(c)};" for c in text).encode()
