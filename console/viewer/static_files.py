"""The viewer's style sheet, script and icon; the style sheet begins with the colours that all faces share."""

from __future__ import annotations

from importlib.resources import files

from tracejury.reports import palette_css

_STATIC = {"viewer.css": "text/css", "viewer.js": "text/javascript", "icon.svg": "image/svg+xml"}


def static_file(name: str) -> tuple[str, str]:
    """Return the text and the media type of a style sheet, script or icon.

    Raises:
        KeyError: There is no such file.
    """
    kind = _STATIC[name]
    text = (files("tracejury.console.viewer") / "static" / name).read_text(encoding="utf-8")
    return (palette_css() + text if kind == "text/css" else text), kind


def style_sheet() -> str:
    """Return the style sheet, for a page that carries it in itself."""
    return static_file("viewer.css")[0]
