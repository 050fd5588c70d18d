"""How far a word of denial, hedging or framing reaches to its right, by the shape of the clause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tracejury.retrieval.cues import Cue, Scope, folded, word_set

_SEPARATOR = re.compile(
    r"(?P<stop>[;!?](?=\s|$)|\.(?=[\s)\]\"'\u201d]|$)"
    r"|\b(?:but|however(?=,)|although|though|whereas|yet|because|since|instead|if|unless|except)\b)"
    r"|(?P<colon>:(?=\s|$))|(?P<comma>,(?=\s))|(?P<and>\b(?:and|or|while|so)\b)"
)
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|vs|dr|mrs?|st|no|fig|approx|ca|cf|al|etc)|\b\w)$")
_RELATIVE = re.compile(
    r"\b(?:who|whom|whose|which|when|where|because|although|though|if|unless|while|since)\b"
    # `a rash that does not blanch`, but not `it is known that aspirin does not`
    r"|\bthat(?=(?: (?:is|are|was|were|does|do|did|has|have|had|can|could|may|will|would|should|must))?\s*$)"
)
_FRONTED = re.compile(
    r"\W*(?:although|though|while|whereas|despite|because|since|when|where|as|if|unless|in|without|with|after|before|during|"
    r"for|unlike|instead|rather|contrary|until|once|given|among|besides|except|apart|far|not|by|at|on)\b"
)
# `Do not give aspirin, give ...`: what stands before the denial of a command.
_COMMAND = re.compile(r"(?:\W|please|always|do|therefore|then|instead|\d)*")
_DETERMINERS = frozenset(["a", "an", "the", "his", "her", "its", "their", "no", "one", "two", "three"])
_DASH = re.compile(r"\u2014|\s[\u2013-]\s")
# `are contraindicated in: ...`, `is never given to patients with: ...`
_UNFINISHED = re.compile(
    r"\b(?:in|to|for|with|of|by|during|on|at|as|from|after|before|is|are|was|were|be|include|includes|these)\s*$"
)
_ADVERBIAL = re.compile(r"\s+(?:in|at|on|during|with|after|before|under|for|within|by|beyond|among)\b")
_SUBORDINATE = re.compile(r"\W*(?:although|though|while|whereas|despite|because|since|when|as|contrary|besides|even)\b")


def has_verb(text: str) -> bool:
    """Whether a text has a finite verb, as far as a list of common ones tells."""
    words = re.findall(r"[^\W\d_]+(?:'[a-z]+)?", folded(text))
    # `causes of`, `results of` are nouns.
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word in _finite() and after != "of" and not (word.endswith("ed") and before in _BEFORE_PARTICIPLE):
            return True
    # `use of`, `increase in` are nouns.
    first = words[0] if words and words[1:2] not in (["of"], ["in"]) else ""
    plain_verbs = (word for before, word in pairwise(words) if before != "to" and word in word_set("plain_verb"))
    return first in word_set("imperative") or any(plain_verbs)


# `a raised pressure and reduced output`: participles, no verbs.
_BEFORE_PARTICIPLE = frozenset(
    ["", "a", "an", "the", "and", "or", "of", "with", "in", "no", "not", "by", "for", "to", "as", "any"]
)


def _finite() -> frozenset[str]:
    return word_set("auxiliary", "verb")


def scope_end(text: str, cue: Cue) -> int:
    """Return the offset at which the scope of a cue ends.

    Args:
        text: The sentence, as read.
        cue: A cue in it.
    """
    plain = folded(text)
    limit = len(text)
    if cue.scope is Scope.PHRASE or _inside_relative(plain, cue):
        limit = _first_finite(plain, cue)
    if plain.rfind("(", 0, cue.start) > plain.rfind(")", 0, cue.start):
        closed = plain.find(")", cue.end)
        limit = min(limit, closed) if closed >= 0 else limit
    if len(_DASH.findall(plain[: cue.start])) % 2 and (closing := _DASH.search(plain, cue.end)):
        limit = min(limit, closing.start())
    # `should not, under any circumstances, be given`; `perhaps, ...`
    parenthesis = re.match(r"\s*," if cue.scope is Scope.HEDGE else r"\s*,[^,]*,", plain[cue.end :])
    at = cue.end + parenthesis.end() if parenthesis and cue.scope is not Scope.CONTRAST else cue.end
    in_list = False
    for separator in _SEPARATOR.finditer(plain, at):
        if separator.start() >= limit:
            break
        if in_list and separator[0] == ";":
            continue
        if _ends(plain, cue, separator):
            return separator.start()
        in_list = in_list or separator.lastgroup == "colon"
    return limit


def _inside_relative(plain: str, cue: Cue) -> bool:
    """Whether the cue denies inside a relative or subordinate clause: `patients who do not respond should ...`."""
    if cue.scope not in (Scope.CLAUSE, Scope.HEDGE):
        return False
    start = max((m.end() for m in re.finditer(r"[,;:.]\s", plain[: cue.start])), default=0)
    participle = re.match(r"\s\w+ing\b", plain[cue.end :]) is not None
    return participle or _RELATIVE.search(plain, start, cue.start) is not None


def _first_finite(plain: str, cue: Cue) -> int:
    if cue.words.lower() == "no" and not plain[: cue.start].strip():
        return len(plain)  # `No patient should ...`: it denies the whole clause.
    for finite in _finite_words(plain, cue.end):
        if re.search(r"\b(?:that|whether|which|who)\b", plain[cue.end : finite.start()]) and cue.scope is Scope.PHRASE:
            continue
        if plain[cue.end : finite.start()].strip():
            return finite.start()
    return len(plain)


def _finite_words(plain: str, start: int) -> Iterator[re.Match[str]]:
    verbs = {verb for verb in word_set("verb", "plain_verb") if not verb.endswith("ed")}
    for word in re.compile(r"\s(\w+)(?=\s)(?! of\b)").finditer(plain, start):
        if word[1] in word_set("auxiliary") or word[1] in verbs:
            yield word


def _ends(plain: str, cue: Cue, separator: re.Match[str]) -> bool:
    kind, after = separator.lastgroup, plain[separator.end() :]
    if kind == "stop":
        return not (separator[0] == "." and _ABBREVIATED.search(plain[: separator.start()]))
    if kind == "colon" and not plain[: cue.start].strip() and not plain[cue.end : separator.start()].strip():
        return folded(cue.words) == "no"  # `No: steroids do not help.`
    if kind == "colon":
        label = plain[: separator.start()]
        announces = "following" in label or _UNFINISHED.search(label) is not None or not has_verb(after)
        return has_verb(label) and not announces and cue.scope is not Scope.FRAME
    if cue.scope is Scope.CONTRAST and kind != "and":
        return kind == "comma" and not re.match(
            r"\s*(?:that|whereby|(?:(?:by|in|for|of|to|with|from|under) )?(?:which|whom|who))\b", after
        )
    fronted = _SUBORDINATE if cue.scope is Scope.FRAME else _FRONTED
    if kind == "comma" and fronted.match(plain) and "," not in plain[: separator.start()]:
        # A fronted clause or phrase ends with its comma (`Although not curative, it ...`), unless it goes on as a list.
        return _new_clause(after) or "," not in after
    if kind == "comma" and cue.scope is not Scope.FRAME and re.match(r"\s*(?:which|who|whose|where)\b", after):
        return True
    if cue.scope is Scope.FRAME:
        return kind == "comma" and re.match(r"\s*(?:and|so|while|when|which|who|where)\b", after) is not None
    if kind == "comma" and _ADVERBIAL.match(plain, cue.end) and not has_verb(plain[: separator.start()]):
        return False  # `Never after a hemorrhage, the drug is given`: it holds for the main clause.
    if separator[0] == "or" or re.match(r"\s*n?or\b", after):
        # `No crackles or wheezes are heard`: what follows is one more of the same.
        return re.match(rf"\s+(?:{'|'.join(sorted(word_set('pronoun', 'auxiliary')))})\b", after) is not None
    return _new_clause(after, commanding=_COMMAND.fullmatch(plain[: cue.start]) is not None)


def _new_clause(after: str, *, commanding: bool = True) -> bool:
    """Whether what follows a comma or a conjunction is a clause of its own; a command only in a command."""
    segment = re.split(r"[,;:]\s|\.(?:\s|$)|\b(?:and|or|but)\b", after.lstrip(), maxsplit=1)
    words = re.findall(
        r"[^\W\d_]+(?:'[a-z]+)?",
        re.sub(r"^(?:and|or|so|while)\s+", "", after.lstrip()) if not segment[0].strip() else segment[0],
    )
    if not words or words[0] == "that":
        return False
    if words[0] in word_set("pronoun", "auxiliary") or (commanding and words[0] in word_set("imperative")):
        return True
    if words[0] in word_set("verb") and not words[0].endswith("ed"):
        return True
    # `and walks a mile`: no noun stands before an article.
    if words[0].endswith("s") and words[1:2] and words[1] in _DETERMINERS:
        return True
    return bool(set(words[1:]) & word_set("auxiliary", "verb", "plain_verb"))
