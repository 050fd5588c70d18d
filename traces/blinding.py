"""Style-blinding: taking off a text what tells who wrote it and in which manner, and nothing that it says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MODELS = (
    r"chat-?gpt[\w.-]*",
    r"gpt-?(?:[2-9]|35)[\w.-]*",
    r"claude(?:[- ]?(?:\d[\w.]*|opus|sonnet|haiku|instant))+",
    r"gemini(?:[- ]?(?:\d[\w.]*|pro|flash|ultra|nano))+",
    r"deep-?seek[\w.-]*",
    r"qwen[\w.-]*",
    r"(?:meta-?)?llama-?\d[\w.-]*",
    r"(?:mi[sx]tral|biomistral)(?:-?\d[\w.-]*|-(?:large|medium|small))?",
    r"(?:med42|meditron|medalpaca|med-?palm|medgemma)[\w.-]*",
    r"(?:kimi-?k\d|glm-\d|hunyuan|smollm)[\w.-]*",
    r"openai|anthropic|google deepmind",
    r"(?:an? )?(?:(?:large|ai) )*language model",
)
_NAMES = re.compile(rf"\b(?:{'|'.join(_MODELS)})(?!\w)", re.IGNORECASE)

_LINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.M), ""),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.M), ""),
    (re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?)?[ \t]*$", re.M), ""),
    (re.compile(r"^[ \t]*\|(.*?)\|?[ \t]*$", re.M), r"\1"),
    (re.compile(r"^(?:[ \t]*>)+[ \t]?", re.M), ""),
    (re.compile(r"^[ \t]*#{1,6}[ \t]+", re.M), ""),
    (re.compile(r"^[ \t]*[-*+\u2022\u2023\u25aa\u25cf][ \t]+", re.M), ""),
)
_ENUMERATOR = re.compile(
    r"^[ \t]*(?:\*\*|__)?(?:step[ \t]*\d{1,3}[ \t]*[:.)\u2013-]*|\(?\d{1,2}[.):](?=[ \t*_])|\([a-z]\)|[a-z]\))"
    r"(?:\*\*|__)?[ \t]*",
    re.M | re.I,
)
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"</?(?:think|thinking|answer|reasoning|reflection)>", re.I), " "),
    (re.compile(r"!?\[([^\]\n]{1,300})\]\([^)\s]{1,500}\)"), r"\1"),
    (re.compile(r"\*\*(?=\S)([^\n]{1,500}?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)([^\n]{1,500}?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,500}?)(?<=[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]{1,500}?)(?<=[^\s_])_(?!\w)"), r"\1"),
    (re.compile(r"`([^`\n]{1,500})`"), r"\1"),
)
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u202f": " "})


def blind(text: str, names: Iterable[str] = (), *, keep_lines: bool = False) -> str:
    """Return `text` without markdown, enumerators, think tags and model names, in normalised white space.

    Numbers, units, superscripts and comparison signs stay as they are: NFC and not NFKC, which would turn 10\u2079 into
    109.

    Args:
        text: A step, or a whole trace.
        names: Further names to take out: the trace's own model and teacher.
        keep_lines: Keep line breaks, as people need them to read a list; judges get one line.
    """
    # Runs of blanks go first: the patterns below would look at every split of them.
    text = re.sub(r"[ \t]+", " ", unicodedata.normalize("NFC", text).translate(_QUOTES))
    for pattern, replacement in _LINES:
        text = pattern.sub(replacement, text)
    text = _ENUMERATOR.sub("", text)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    text = _NAMES.sub("the author", text)
    for name in sorted((n for n in names if len(n.strip()) > 2), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name.strip())}(?!\w)", "the author", text, flags=re.IGNORECASE)
    if keep_lines:
        return "\n".join(filter(None, (" ".join(line.split()) for line in text.splitlines())))
    return " ".join(text.split())
