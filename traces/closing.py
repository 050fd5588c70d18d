"""The closing answer sentence: it repeats the answer and reasons no more, so it is not a step."""

from __future__ import annotations

import re

_CLOSING = re.compile(
    r"^[\s*_#>-]*(?:\d{1,2}[.)]\s*|step\s*\d+\s*:\s*)?[*_]*"
    r"(?:(?:therefore|thus|hence|so|in conclusion|in summary|overall|finally|based on[^,\n]{0,80})[,:]?\s+)?[*_]*"
    r"(?:(?:among|of|from|out of)\s[^,\n]{1,60},\s*)?"
    r"(?:(?:the\s+)?(?:final|correct|best|right|most (?:likely|appropriate))?\s*(?:answer|choice|option|solution)\b"
    r"[*_]*\s*(?:to (?:the|this) question\s*)?(?:is|would be|should be|must be|:|=)|\\boxed"
    r"|(?:option|choice)[ _]\(?[A-Z]\)?\s*(?:is (?:the )?correct)?[.*_]*$"
    r"|####"
    # Chinese: "therefore, the right answer is".
    r"|(?:(?:\u56e0\u6b64|\u6240\u4ee5|\u6545|\u7efc\u4e0a\u6240\u8ff0)[,\uff0c]?\s*)?(?:\u6b63\u786e|\u6700\u7ec8)?"
    r"\u7b54\u6848\s*(?:\u5e94?\u9009|\u662f|\u4e3a|[:\uff1a]))",
    re.IGNORECASE,
)
_REASONS = re.compile(r"\b(?:because|since|due to|as it|as this|given that|which|while|whereas)\b", re.IGNORECASE)
_BREAK = re.compile(r"(?:(?<=[.!?])[*_\"')\]]*\s+(?=[A-Z*#\\(])|\n+)")
_LONGEST = 400


def closing_answer_start(text: str) -> int | None:
    """Return where the closing answer sentence of `text` begins, or None if its last sentence is not one.

    A last sentence that gives a reason ("... because ...") stays: only the bare repetition of the answer goes.
    """
    end = len(text.rstrip())
    tail_from = max(0, end - _LONGEST)
    starts = [m.end() for m in _BREAK.finditer(text, tail_from, end)]
    if tail_from == 0:
        starts.insert(0, 0)
    # "The answer is C. Aspirin." breaks after the letter: up to two pieces back still belong to the same sentence.
    for start in sorted((s for s in starts if s < end), reverse=True)[:3]:
        sentence = text[start:end]
        if _CLOSING.match(sentence):
            lines = [line for line in sentence.splitlines() if line.strip()]
            reasons = _REASONS.search(sentence) is not None
            return None if reasons or len(lines) > 2 or len(re.findall(r"\w+", sentence)) > 45 else start
    return None
