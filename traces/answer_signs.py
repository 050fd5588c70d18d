"""A reply without the signs that only style it: full width, circles, emphasis, LaTeX, marks that nobody sees."""

from __future__ import annotations

import re
import unicodedata

# Full-width letters, figures and signs, and curly quotes, as their plain forms.
_PLAIN: dict[int, int | str | None] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **{0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'},
    # Bold, italic and other letters of mathematics.
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x1D400, 0x1D800)},
    # Letters and numbers in circles and brackets.
    **{0x24B6 + place: chr(ord("A") + place) for place in range(26)},
    **{0x1F150 + place: chr(ord("A") + place) for place in range(26)},
    **{0x1F110 + place: chr(ord("A") + place) for place in range(26)},
    **{0x249C + place: chr(ord("a") + place) + ")" for place in range(26)},
    **{0x2460 + place: str(place + 1) for place in range(20)},
    # Marks that nobody sees: zero widths, directions of writing, soft hyphens.
    **dict.fromkeys((0xAD, 0x61C, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060)),
    **dict.fromkeys((*range(0x2066, 0x206A), 0xFEFF)),
}
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9_])_{1,2}(?=[\w(])|(?<=[\w):.])(?<!_)_{1,2}(?![A-Za-z0-9_])")
_STYLED_LETTER = re.compile(
    r"\\(?:(?:text|math)[a-z]{0,6}|bf|rm|sf|tt|emph|underline|bm|bold[a-z]{0,6})\s*\{\s*([(\[]?[A-Z][)\].]?)\s*\}"
)


def plain_signs(text: str) -> str:
    """Return `text` with letters, figures and quotes in their plain forms."""
    return text if text.isascii() else text.translate(_PLAIN)


def without_emphasis(text: str) -> str:
    """Return `text` without the asterisks, underscores and commands that emphasise."""
    if "*" in text:
        text = text.replace("**", "")
    if "\\" in text:
        text = _STYLED_LETTER.sub(r"\1", text)
    return _EMPHASIS.sub("", text) if "_" in text else text
