"""Options that a reply names by the letters of its own script: "вариант Б", "الخيار ب", for the second one."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The Cyrillic Ve looks like a B and is the third letter, and the Ye looks like an E and is the sixth: which of the two
# is meant nobody can say, so they are left alone.
_CYRILLIC = {"А": "A", "Б": "B", "Г": "D", "С": "C"}
_ARABIC = {"أ": "A", "ا": "A", "ب": "B", "ج": "C", "د": "D", "هـ": "E", "ه": "E"}
_LETTER = re.compile(
    r"(?P<before>(?:вариант\w*|ответ\w*|букв\w|пункт\w*|верно)[\s:—–(*«\"-]{1,4}|[(*]{1,2})(?P<cyrillic>[АБГС])(?![\w])"
    r"|(?P<cue>(?:الإجابة|الاجابة|الجواب|الخيار|الحل|هو|هي|أختار|اختار|الحرف)[\s:(*]{1,4}(?:الصحيحة?[\s:(*]{1,4})?)"
    r"(?P<arabic>هـ|[أابجده])(?![\w])",
    re.IGNORECASE,
)


def in_latin_letters(text: str, options: Mapping[str, str]) -> str:
    """Return `text` with the letters of options in Latin, where `options` are lettered so, and a cue stands before."""
    if text.isascii() or "A" not in options or "B" not in options:
        return text
    return _LETTER.sub(_latin, text)


def _latin(match: re.Match[str]) -> str:
    if (letter := match["cyrillic"]) is not None:
        return f"{match['before']}{_CYRILLIC[letter.upper()]}"
    return f"{match['cue']}{_ARABIC[match['arabic']]}"
