"""Text as the quote check compares it: words, numbers and the signs that change a meaning, each with its offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tracejury.retrieval.cues import word_set

_SIGNS = "<>=±%‰‱/+^°↑↓→←⇑⇓⬆⬇▲▼↗↘❌✗✘✖🚫⛔☒☐❎"
# Scripts without spaces between words: every character is a token.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
# A letter run may be broken by a hyphen, also at a line's end, or by invisible characters; it stays one word.
_TOKEN = re.compile(
    r"(?P<number>(?<![\d,])\d+,\d{1,2}(?![\d,])|\d+(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:[.\u00b7]\d+)?|(?<![\d.])\.\d+)"
    rf"|(?P<character>[{_UNSPACED}])"
    r"|(?P<word>[^\W\d_]+(?:(?:['\u2019`\u00b4\u02bc]|[\u00ad\u200b\u200c\u200d\u2060\ufeff]+|[-\u2010\u2011](?:\s*\n\s*)?)[^\W\d_]+)*)"
    r"|(?P<range>(?<=\d)\s?[-\u2010-\u2015\u2212]\s?(?=\d)|(?<![\w)])[-\u2212](?=\.?\d))"
    r"|(?P<colon>(?<=\d):(?=\d)|(?<=[^\W\d_])[\u00b7\u22c5\u2219](?=[^\W\d_]))"
    rf"|(?P<sign>[<>]=|[{re.escape(_SIGNS)}≤≥≠\u00d7÷~≈])"
)
_DROPPED = re.compile(r"['\u2019`\u00b4\u02bc\u00ad\u200b\u200c\u200d\u2060\ufeff\s\u2010\u2011-]")
_WRITTEN_OUT = {"<=": "≤", ">=": "≥"}
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "ß": "ss"})


class Token(NamedTuple):
    """One token: what is compared, and where it stands in the original."""

    text: str
    start: int
    end: int
    is_name: bool = False
    """Whether it is the letter A as a name or part of one (hepatitis A), which is no article."""

    @property
    def is_article(self) -> bool:
        """Whether it is `a`, `an` or `the`."""
        return self.text in ("a", "an", "the") and not self.is_name

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.text[0].isdigit() or (self.text[0] == "." and len(self.text) > 1)

    @property
    def is_sign(self) -> bool:
        """Whether it is a sign: a comparison, a fraction bar, a range, a percentage."""
        return not self.is_number and not self.text[0].isalpha()


# Judges quote the same few passages of a case again and again.
@lru_cache(maxsize=32)
def quote_tokens(text: str) -> tuple[Token, ...]:
    """Cut `text` into tokens. Punctuation, markup, bullets and white space are no tokens; case is folded.

    A superscript becomes `^` and its number (10² is not 102), a vulgar fraction a fraction of its own.
    """
    plain, origin = _plain(text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(plain):
        token = Token(_canonical(match), origin[match.start()], origin[match.end() - 1] + 1)
        if token.text == "a" and tokens and _names(tokens[-1], text[tokens[-1].end : token.start], match[0]):
            token = token._replace(is_name=True)
        tokens.append(token)
    return tuple(tokens)


def unspaced_characters(tokens: Sequence[Token]) -> int:
    """Count the tokens that are characters of scripts without spaces between words."""
    return sum(bool(re.fullmatch(f"[{_UNSPACED}]", token.text)) for token in tokens)


def names_by_letter(word: str) -> bool:
    """Whether a lone letter or number after this word belongs to its name."""
    return word in word_set("named_by_letter")


def _names(before: Token, between: str, letter: str) -> bool:
    if not between.isspace() or "\n" in between:
        return False
    return letter == "A" or names_by_letter(before.text)


def _plain(text: str) -> tuple[str, list[int]]:
    """Return compatibility-normalised text and, for each of its characters, the original's offset."""
    if text.isascii():
        return text, list(range(len(text)))
    out: list[str] = []
    origin: list[int] = []
    raised = False
    for offset, char in enumerate(text):
        form = unicodedata.normalize("NFKC", char) if not char.isascii() else char
        if form.isdecimal():
            # A circled number becomes several digits.
            form = "".join(str(unicodedata.decimal(digit)) for digit in form)
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
    text = match[0]
    if match.lastgroup == "number":
        if re.fullmatch(r"\d+,\d{1,2}", text):
            return text
        text = text.replace(",", "").replace("\u00b7", ".")
        whole, point, rest = text.partition(".")
        return (whole.lstrip("0") or "0") + point + rest
    if match.lastgroup == "range":
        return "-"
    if match.lastgroup == "colon":
        return ":" if text == ":" else "\u00b7"
    if match.lastgroup == "sign":
        return _WRITTEN_OUT.get(text, text)
    bare = unicodedata.normalize("NFKD", _DROPPED.sub("", text).casefold().translate(_LIGATURES))
    word = "".join(c for c in bare if not unicodedata.combining(c)) or text
    return "μg" if word in ("mcg", "ug") else word
