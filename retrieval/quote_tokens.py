"""Text as the quote check compares it: words, numbers and the signs that change a meaning, each with its offsets."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_SIGNS = "<>=±%/+^°"
# A letter run may be broken by a hyphen, also at a line's end, or by invisible characters; it stays one word.
_TOKEN = re.compile(
    r"(?P<number>\d+(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d.])\.\d+)"
    r"|(?P<word>[^\W\d_]+(?:(?:['\u2019]|[\u00ad\u200b\u200c\u200d\u2060\ufeff]+|[-\u2010\u2011](?:\s*\n\s*)?)[^\W\d_]+)*)"
    r"|(?P<range>(?<=\d)\s?[-\u2010-\u2015\u2212]\s?(?=\d)|(?<![\w)])[-\u2212](?=\.?\d))"
    rf"|(?P<sign>[<>]=|[{re.escape(_SIGNS)}≤≥≠\u00d7÷~≈])"
)
_DROPPED = re.compile(r"['\u2019\u00ad\u200b\u200c\u200d\u2060\ufeff\s\u2010\u2011-]")
_WRITTEN_OUT = {"<=": "≤", ">=": "≥"}
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "ß": "ss"})


class Token(NamedTuple):
    """One token: what is compared, and where it stands in the original."""

    text: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.text[0].isdigit() or (self.text[0] == "." and len(self.text) > 1)

    @property
    def is_sign(self) -> bool:
        """Whether it is a sign: a comparison, a fraction bar, a range, a percentage."""
        return not self.is_number and not self.text[0].isalpha()


def quote_tokens(text: str) -> list[Token]:
    """Cut `text` into tokens. Punctuation, markup, bullets and white space are no tokens; case is folded.

    A superscript becomes `^` and its number (10² is not 102), a vulgar fraction a fraction of its own.
    """
    plain, origin = _plain(text)
    return [
        Token(_canonical(match), origin[match.start()], origin[match.end() - 1] + 1) for match in _TOKEN.finditer(plain)
    ]


def _plain(text: str) -> tuple[str, list[int]]:
    """Return compatibility-normalised text and, for each of its characters, the original's offset."""
    out: list[str] = []
    origin: list[int] = []
    raised = False
    for offset, char in enumerate(text):
        form = unicodedata.normalize("NFKC", char) if not char.isascii() else char
        kind = unicodedata.decomposition(char).partition(">")[0] if not char.isascii() else ""
        if kind == "<super" and form.isdigit():
            form = form if raised else "^" + form
            raised = True
        else:
            raised = False
            if kind == "<fraction":
                form = f" {form.replace(chr(0x2044), '/')} "
        out.append(form)
        origin.extend([offset] * len(form))
    # A letter and its combining accent arrive as two characters, or as one: both become the bare letter.
    return "".join(out), origin


def _canonical(match: re.Match[str]) -> str:
    token = match[0]
    if match.lastgroup == "number":
        token = token.replace(",", "")
        whole, point, rest = token.partition(".")
        return (whole.lstrip("0") or "0") + point + rest
    if match.lastgroup == "range":
        return "-"
    if match.lastgroup == "sign":
        return _WRITTEN_OUT.get(token, token)
    bare = unicodedata.normalize("NFKD", _DROPPED.sub("", token).casefold().translate(_LIGATURES))
    return "".join(c for c in bare if not unicodedata.combining(c)) or token
