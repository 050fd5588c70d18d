r"""The final answer of a reply: an option's key, found the way the benchmarks' own scripts and readers would find it.

Places are tried from the most explicit to the least (an `<answer>` tag, a field of JSON, a box, "the answer is", the
edges of the reply, the option's own words), and within one place the last mention counts: a trace that weighs options
names many letters, and what it says last is what it answers. A tag, field or box that names no option ("None of the
above") settles the matter: nothing is guessed from the reasoning behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tracejury.traces.answer_cues import cues
from tracejury.traces.answer_decisions import DECIDED, REVISED, is_hypothetical, is_no_decision, is_unsure
from tracejury.traces.answer_fields import boxes, json_values, tagged_answer
from tracejury.traces.answer_languages import decisions, is_refused
from tracejury.traces.answer_letters import in_latin_letters
from tracejury.traces.answer_names import option_inside, option_lettered, option_named
from tracejury.traces.answer_phrases import IN_WORDS, PHRASES
from tracejury.traces.answer_signs import plain_signs, without_emphasis
from tracejury.traces.answer_verdicts import letter_by_verdicts

_THINK = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_SEPARATOR = r"\s*(?:,\s*(?:and|or)\b|/|,|&|\+|\band\b|\bor\b)\s*"
_OPEN = r"[\s*_\"'`(\[{$]*"
_WORD = r"(?:(?:choices?|options?|answers?|letters?)[ _]+)?"
_KEY = rf"{_OPEN}{_WORD}{_OPEN}([A-Z]{{1,4}}|\d{{1,2}})(?!\w|'\w)[)\]]?((?:{_SEPARATOR}{_WORD}\(?[A-Z](?!\w|'\w)\)?)*)"
_IS = r"(?:is|'s|are|was|would be|should be|will be|must be|:|=|\u2013)"
_ASIDE = (
    r"(?:\s*,[^,.\n]{1,30},|\s+(?:here|then|therefore|in this (?:case|scenario|patient|question|setting)"
    r"|to (?:this|the) question))?"
)
_ADVERB = r"(?:(?:most )?likely |probably |therefore |thus |clearly )?"
_AFTER_A = {
    *("and", "as", "based", "because", "but", "due", "for", "given", "is", "not", "or", "since", "so", "which"),
    *("et", "y", "e", "und", "oder", "ou", "ist", "est", "es", "nicht", "non", "no", "pero", "mais", "sino", "porque"),
    *("car", "weil", "denn", "perché", "puesto", "ya"),
}
"""Words that may follow the letter A; another word in small letters makes it an article."""
_EXPLICIT = cues(
    (
        "answer|solution",
        r"\b(?:(?:final|correct|best|right) answer|answer(?: choice)?|solution)\b[\s*_]*"
        rf"(?:\((?:option|choice)\))?{_ASIDE}[\s*_]*{_IS}+[\s*_:]*{_ADVERB}{_KEY}",
        len("correct "),
    ),
    (
        "choice|option|diagnosis|treatment|management|step|response|explanation|cause",
        r"\b(?:correct|best|right|most (?:likely|appropriate|accurate)|appropriate|final)\s+"
        r"(?:choice|option|diagnosis|treatment|management|(?:next )?step|response|explanation|cause)\b"
        rf"[^.\n]{{0,80}}?\b{_IS}[\s*_:]*{_ADVERB}{_KEY}",
    ),
    (
        "choos|select|pick|go with",
        rf"\b(?:choose|select|pick|go with|choosing|selecting)\s{_KEY}",
    ),
    (
        "choice|option|answer",
        r"(?<!\w)(?:choice|option|answer)[ _]+\(?([A-Z]|\d)\)?(?!\w|'\w)()[^.\n]{0,120}"
        r"\b(?:is|as|represents|would\s+be|seems|appears|looks)\s+"
        r"(?:therefore |thus |likely )*(?:the\s+)?(?:most\s+(?:likely|appropriate|accurate)|correct|best|right)\b",
    ),
)
_BEST = r"(?:correct|best|right|most (?:likely|appropriate|fitting|suitable|plausible|consistent))"
_IMPLICIT = cues(
    # A heading with the letter below it.
    (
        "answer|response|conclusion|choice",
        r"(?:\A|\n)[\s#*_>]*(?:(?:my|final|correct|best)\s+)*(?:answer|response|conclusion|choice)[*_]*\s*:?[*_]*\s*\n+[\s*_(]*"
        r"((?-i:[A-Z]))()[*_]*(?:[).:](?=[*_\s])|\s*(?:\n|\Z))",
    ),
    (
        "ans|choice",
        rf"\b(?:choice\s*:|ans\b\.?\s*(?:is\b|:|=)?)[\s*_]*{_KEY}",
    ),
    (
        "answer",
        r"^\W*(?:(?:final|correct|best|right)\s+)?answer\s*[-\u2013\u2014]\s*[*_]*\(?((?-i:[A-Z])|(?<=\()[a-z](?=\)))\)?()"
        r"(?![\w'-])",
    ),
    (
        "is |to be",
        r"(?<![\w'])(?<!neither )(?<!nor )(?<!not )\(?((?-i:[A-Z]))\)?()\s+"
        rf"(?:is|(?:seems|appears|looks)\s+to\s+be),?\s+(?:(?:therefore|thus|hence|then|clearly|so),?\s+)?(?:the\s+)?{_BEST}\b",
    ),
    (
        "mak",
        rf"\bmak(?:es?|ing)\s+(?:(?:option|choice|answer)\s+)?\(?((?-i:[A-Z]))\)?()\s+(?:the\s+)?(?:{_BEST}|better|answer|exception)\b",
    ),
    # "The index among these is C. PMA": a letter written as options are lettered.
    (
        "is|are|be",
        r"(?<!so )(?<!neither )(?<!nor )\b(?:is|are|be):?\s+\*{0,2}\(?((?-i:[A-Z]))\)?[.):]()\*{0,2}\s",
    ),
    (
        "it's|it is|that's|that is",
        r"\b(?:it|that)(?:'s| is)\s+\(?((?-i:[A-Z]))\)?()[.!\s]*(?=\n|\Z)",
    ),
    (
        "hence|therefore|thus|so",
        r"\b(?:hence|therefore|thus|so)[,: ]+\(?((?-i:[A-Z]))\)?()[.\s]*(?=\n|\Z)",
    ),
)
_EXCEPTION = (
    r"(?:exception|odd\s+one\s+out|least\s+(?:likely|appropriate)|(?:false|incorrect|untrue)\s+(?:statement|one))"
)
_LEAST = cues(
    # What a question for the exception asks for; elsewhere it is said of one option among others.
    (
        "exception|odd one|least|false|incorrect|untrue|one that|avoid",
        rf"\b(?:{_EXCEPTION}|one\s+that\s+(?:does|is|do)(?:\s+not|n't)\b[^.,\n]{{0,30}}|to\s+(?:be\s+)?avoid(?:ed)?)\s+(?:is|would\s+be):?\s+{_KEY}",
    ),
    (
        "exception|odd one|least|false|incorrect|untrue",
        rf"(?<![\w'])\(?((?-i:[A-Z]))\)?()\s+is\s+(?:therefore\s+)?the\s+{_EXCEPTION}\b",
    ),
    # "A tender gland after a cold: B." and "Having looked at it again, B."
    (":|.|;|!|?|,", r"(?:[:;.!?]|(?<=[a-z]{3}),)\s*\(?((?-i:[A-Z]))\)?()[.!*\s]*\Z"),
)
_CUES = (*REVISED, *_EXPLICIT, *PHRASES, *DECIDED, *_IMPLICIT, *_LEAST)
_IS_TEXT = re.compile(rf"\banswer(?: choice)?\b[\s*_]*{_IS}+[\s*_:\"']*([^\n]{{2,300}})", re.IGNORECASE)
_VALUE = re.compile(
    rf"\A{_OPEN}{_WORD}{_OPEN}([A-Z]{{1,4}}|\d{{1,2}})(?:[)\]*_\s]*(?:[.):\-\u2013]|\Z|\s\())", re.IGNORECASE
)
_EITHER = re.compile(r"\bor\b", re.IGNORECASE)
_SEVERAL = re.compile(rf"\A\W*{_WORD}[A-Z](?:{_SEPARATOR}{_WORD}[A-Z])+\W*\Z")
_FIRST_LINE = re.compile(
    rf"\A[\s*_#>\"'(]*{_WORD}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):,\-\u2013]|[\s*_]*(?:\n|\Z)|\s+\((?:most|best|correct)\b)"
)
_LAST_LINE = re.compile(
    rf"(?:\A|\n)[\s*_#>\"'(]*{_WORD}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):\-\u2013][^\n]*)?[\s*_\"'.]*\Z"
)
_CORRECTION = re.compile(r"\b(?:I mean|I meant|scratch that|or rather)[,:]?\s+(?:option\s+)?\(?([A-Z])\)?(?![\w'])")
_CONTRAST = re.compile(r",?\s+(?:(?:and|but)\s+)?(?:not|rather\s+than|instead\s+of)\s", re.IGNORECASE)
_CAPITAL = re.compile(r"\b[A-Z]\b")
_SMALL_WORD = re.compile(r" ([a-z]{2,})\b")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_FREE = (
    re.compile(r"####\s*([^\n]{1,300})"),
    re.compile(rf"\banswer\b[\s*_]*{_IS}+[\s*_:]*([^\n]{{1,300}})", re.IGNORECASE),
)


def extract_answer(text: str, options: Mapping[str, str]) -> str | None:
    r"""Return the option key that `text` settles on, or None where no rule finds one.

    Understands `<answer>`, JSON (`answer_choice`, also when the JSON is broken), `\boxed{}`, "the answer is",
    "Answer: B", "Solution: Choice_B", a reply that opens or closes with a letter, and the option's own text. Text
    inside `<think>` is looked at only when nothing is found outside it. Several keys (`C/D`, `B and D`) come back as
    one, `CD`; all keys at once are no answer.

    Args:
        text: The reply.
        options: Option key to option text. Without options the answer is free text: the content of a box, a final
            `#### 42`, or what follows the last "answer is".
    """
    text = without_emphasis(text if text.isascii() else in_latin_letters(plain_signs(text), options))
    has_tags = "<" in text
    outside = _THINK.sub(" ", text) if has_tags else text
    if has_tags and (tagged := tagged_answer(outside)) is not None:
        # As a box does, the tag settles the matter.
        return _choice(tagged, options) if options else _free(tagged) or tagged
    parts = (outside, text) if outside != text else (text,)
    for part in parts:
        answer = (_choice(part, options) if options else _free(part)) if part.strip() else None
        if answer is not None:
            return answer
    return None


def _choice(text: str, options: Mapping[str, str]) -> str | None:
    explicit = next(json_values(text), None) or next(reversed(boxes(text)), None)
    if explicit is not None:
        return option_in_value(explicit, options)
    for match, key in _phrases(text, options):
        # "A or B" and "A/B?" leave open which of the two.
        is_open = len(key) > 1 and (_EITHER.search(match.group(2)) is not None or text.startswith("?", match.end()))
        return None if is_open or _taken_back(text, match.end(), key) else key
    judged = letter_by_verdicts(text, options)
    return judged if judged is not None else _in_words(text, options)


def _phrases(text: str, options: Mapping[str, str]) -> Iterator[tuple[re.Match[str], str]]:
    """Yield the phrases that settle on a key of `options`, the surest first."""
    for match in _decisive(text):
        if is_no_decision(text, match.start()) or is_hypothetical(text, match) or _is_article(text, match):
            continue
        if is_refused(text, match.end()):
            continue
        more = _CAPITAL.findall(match[2]) if match[2] else []
        key = _key("".join([match.group(1), *more]) if more else match.group(1), options)
        if key is not None:
            yield match, key


def _decisive(text: str) -> Iterator[re.Match[str]]:
    small = text.lower()
    for cue in _CUES:
        if cue.may_match(text, small):
            yield from cue.matches(text, small)
    yield from decisions(text)


def _in_words(text: str, options: Mapping[str, str]) -> str | None:
    """Return the option whose words or letter the reply gives as the answer, or begins or ends with."""
    for match in reversed(list(_IS_TEXT.finditer(text))):
        key = option_named(_CONTRAST.split(_SENTENCE_END.split(match.group(1))[0])[0], options)
        if key is not None:
            return key
    for match in reversed([] if text.isascii() else list(IN_WORDS.finditer(text))):
        key = option_inside(match[1], options) or option_named(match[1], options)
        if key is not None:
            return key
    bare = _key(text.strip(" \t\r\n\ufeff*_.$()[]\"'`"), options)
    if bare is not None:
        return bare
    for edge in (_FIRST_LINE, _LAST_LINE):
        at_edge = edge.search(text)
        key = _key(at_edge.group(1), options) if at_edge else None
        if key is not None:
            return key
    closing = [s for s in _SENTENCE_END.split(text.strip()[-1500:]) if s.strip()][-2:]
    if closing and is_unsure(closing[-1]):
        return None
    for sentence in reversed(closing):
        key = option_lettered(sentence, options) or option_named(sentence, options)
        if key is not None:
            return key
    return None


def _taken_back(text: str, end: int, key: str) -> bool:
    """Whether the reply goes on to mean another letter, and so settles on none: "The answer is D ... I mean B."."""
    return any(match[1] != key for match in _CORRECTION.finditer(text[end:]))


def _is_article(text: str, match: re.Match[str]) -> bool:
    """Whether the letter that a cue found is an "a", or a capital one: "Answer: A patient with fever needs ..."."""
    if match[1] == "a":
        return text[match.start(1) - 1 : match.end(1) + 1] != "(a)"
    # "A is the best": a phrase that goes on behind the letter has read it as one.
    if match[1] != "A" or text[match.end(1) : match.end()].strip(" )]*_"):
        return False
    word = _SMALL_WORD.match(text, match.end())
    return word is not None and word[1] not in _AFTER_A


def _key(letters: str, options: Mapping[str, str]) -> str | None:
    """Return `letters` as a key of `options`, or as several of its one-letter keys; None where it is neither."""
    if len(letters) == 1 and letters in options and letters.swapcase() not in options:
        return letters
    keys = {key.casefold(): key for key in options}
    if letters.casefold() in keys:
        return keys[letters.casefold()]
    letters_found = {keys.get(letter.casefold()) for letter in letters}
    if not letters.isupper() or None in letters_found or len(letters_found) == len(options):
        return None
    return "".join(sorted(key for key in letters_found if key))


def option_in_value(value: str, options: Mapping[str, str]) -> str | None:
    """Return the key that a short value names: `B`, `B. Aspirin`, `(B)`, `Option B`, `Aspirin`, `B, D`."""
    value = value.strip().strip("\"'*$ ")
    if _SEVERAL.match(value):
        return _key("".join(_CAPITAL.findall(value)), options)
    match = _VALUE.match(value)
    key = _key(match.group(1), options) if match else None
    return key if key is not None else option_named(value, options)


def _free(text: str) -> str | None:
    value = next(_free_values(text), None)
    # A letter alone is an option that the file does not list: "(B)" and "B" are the same.
    bare = re.fullmatch(r"\W*([A-Z])\W*", value or "")
    return bare.group(1) if bare else value


def _free_values(text: str) -> Iterator[str]:
    if values := boxes(text):
        yield values[-1]
    for pattern in _FREE:
        values = [re.split(r"[.!]\s", m.group(1))[0].strip(" .!$*_") for m in pattern.finditer(text)]
        if values and values[-1]:
            yield values[-1]
    yield from (value.strip() for value in json_values(text))


def answer_correct(answer: str | None, gold: str | None, aliases: Iterable[str] = ()) -> bool | None:
    """Return whether `answer` is right; None where there is no gold. An answer that could not be found is wrong.

    A gold of two letters (Mr-Ben's annotators name two where both hold) accepts either and both; an answer in words may
    be any of the gold's `aliases` too.
    """
    if gold is None:
        return None
    if answer is None:
        return False
    if answer == gold:
        return True
    if gold.isupper() and answer.isupper() and gold.isalpha() and len(gold) > 1:
        return set(answer) <= set(gold)
    return answer.strip().casefold() in {right.strip().casefold() for right in (gold, *aliases)}
