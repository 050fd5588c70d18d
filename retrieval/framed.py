"""What a sentence holds without asserting it: a claim inside a belief, an error, a condition, a withdrawn statement.

A quote may be the whole sentence, frame included, and is then right as a quote. It does not support what stands inside
the frame, and small entailment models read through frames that they were not taught.
"""

from __future__ import annotations

import re
from functools import cache

from tracejury.retrieval.cues import Scope, cues_in, folded, pattern, without_exempt
from tracejury.retrieval.denials import content_stems
from tracejury.retrieval.scope import scope_end

_MOST_FRAMED_SHARE = 0.7
"""Of a claim's words of content, the share inside a frame from which on it is what the frame holds."""
_ASSERTED = 0.25
"""The share that must stand outside all frames, where there is one: a frame about something else shows nothing."""
_CONDITION = re.compile(r"if|in case.*|in the event.*|only (?:if|when|after|in|for)|(?:provid|assum|suppos)\w+ that")
"""`If febrile, give it` may support `in fever it is given`: its main clause decides, and that must be on the claim."""
_LABEL_END = re.compile(r"(?:[\s-]+\w+){0,2}\s*(?::|\s[\u2013\u2014-])\s")


def framed_by(statement: str, claim: str) -> str | None:
    """Return the words that keep a statement from asserting what a claim asserts, or None.

    Args:
        statement: A sentence of evidence, as `read_statement` returns its text.
        claim: A checkable statement of a step. A frame that it has too is none: `if X, give Y` supports itself.
    """
    claimed, plain = folded(claim), without_exempt(statement)
    stems = content_stems(claim)
    if not stems:
        return None

    def share(text: str) -> float:
        return len(stems & content_stems(text)) / len(stems)

    label = _label().match(plain)
    if label and label["word"] not in claimed and share(statement[label.end() :]) >= _MOST_FRAMED_SHARE:
        return statement[: label.end()].strip()
    frames = [cue for cue in cues_in(statement) if cue.scope is Scope.FRAME and folded(cue.words) not in claimed]
    asserted = statement
    for cue in reversed(frames):
        end, condition = scope_end(statement, cue), _CONDITION.fullmatch(folded(cue.words)) is not None
        if condition and (comma := statement.find(", ", cue.end, end)) >= 0:
            end = comma
        if not condition and share(statement[cue.end : end]) >= _MOST_FRAMED_SHARE:
            return cue.words
        asserted = asserted[: cue.start] + asserted[end:]
    return frames[0].words if frames and share(asserted) < _ASSERTED else None


@cache
def _label() -> re.Pattern[str]:
    word = rf"\W*(?:(?:a|one|common|popular|\d+) )*(?P<word>{pattern('label').pattern})s?"
    return re.compile(word + _LABEL_END.pattern)
