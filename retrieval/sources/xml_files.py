"""XML from anywhere, through defusedxml: no entity is expanded, no external file is read."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml.ElementTree import fromstring

from tracejury.traces import Problem


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
    except defusedxml.DefusedXmlException as bomb:
        reason = f"refused: the file declares entities ({bomb}), as XML bombs do"
        return Problem(file=str(file), reason=reason, hint="get the file from its publisher again")
    except (ParseError, ValueError, LookupError) as bad:
        line = bad.position[0] if isinstance(bad, ParseError) else None
        return Problem(file=str(file), line=line, reason=f"not valid XML: {bad}", hint="get the file again")
    if root is not None and element.tag != root:
        reason = f"its root is <{element.tag}>, that of {format} is <{root}>"
        return Problem(file=str(file), reason=reason, hint="give a file of that format")
    return element
