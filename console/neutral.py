"""Text from outside, made safe to show: characters that steer a terminal or the reading direction are spelt out."""

from __future__ import annotations

import codecs
import re
import sys

STEERING = re.compile(
    "[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
"""Control characters but tab and newline, marks of reading direction, line separators, lone surrogates."""

_PLAIN = {
    "\u2713": "v", "\u2717": "x", "\u2205": "0", "\u00b7": "-", "\u2022": "*", "\u2192": "->", "\u25c0": "<-",
    "\u22a2": "|-", "\u2026": "...", "\u2013": "-", "\u2014": "-", "\u201c": '"', "\u201d": '"', "\u2018": "'",
    "\u2019": "'", "\u2264": "<=", "\u2265": ">=", "\u2212": "-", "\u00d7": "x", "\u2502": "|", "\u2500": "-",
}  # fmt: skip
"""What stands for a symbol where the console's encoding lacks it."""


def neutral(text: str) -> str:
    """Return `text` with steering characters spelt out, as in `[U+202E]`; newlines and tabs stay."""
    return STEERING.sub(lambda match: f"[U+{ord(match[0]):04X}]", text.replace("\r\n", "\n"))


def neutral_line(text: str) -> str:
    """Return `text` on one line: neutral, with newlines and tabs as spaces. It cannot begin a line of its own."""
    return neutral(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def json_safe(text: str, encoding: str) -> str:
    """Return JSON `text` with steering and unencodable characters as JSON escapes: another spelling of the same."""

    def escaped(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

    text = STEERING.sub(escaped, text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return re.sub("[^\x00-\x7f]", escaped, text)
    return text


def print_json(text: str) -> None:
    """Print JSON, with the characters that could steer a terminal escaped."""
    print(json_safe(text, sys.stdout.encoding or "utf-8"))


def plain_symbols(error: UnicodeError) -> tuple[str, int]:
    """Replace what a console cannot encode; an error handler for `codecs`, named `tracejury.plain`.

    Raises:
        UnicodeError: The error is not one of encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unencodable = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or ascii(c)[1:-1] for c in unencodable), error.end


codecs.register_error("tracejury.plain", plain_symbols)
