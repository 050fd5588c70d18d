r"""The final answer of a reply: an option's key, found the way the benchmarks' own scripts and readers would find it.

Places are tried from the most explicit to the least (an `<answer>` tag, a field of JSON, a box, "the answer is", the
edges of the reply, the option's own words), and within one place the last mention counts: a trace that weighs options
names many letters, and what it says last is what it answers. A tag, field or box that names no option ("None of the
above") settles the matter: nothing is guessed from the reasoning behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from tracejury.traces.answer_cues import cues
from tracejury.traces.answer_decisions import DECIDED, REVISED, is_hypothetical, is_left_open, is_unsure
from tracejury.traces.answer_languages import decisions
from tracejury.traces.answer_phrases import IN_WORDS, PHRASES
from tracejury.traces.answer_letters import in_latin_letters
from tracejury.traces.answer_verdicts import letter_by_verdicts

_THINK = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_TAGGED = re.compile(
    r"<(answer|final_answer|final|final_choice|answer_choice|choice|solution|ans|letter)>(.*?)(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_FIELDS = ("answer_choice", "answer", "final_answer", "answer_idx", "choice", "prediction")
_FIELD = re.compile(
    rf"""["'](?:{"|".join(_FIELDS)})["']\s*:\s*"""
    r"""(?:"((?:[^"\\]|\\.){0,500})|'([^'\n]{0,500})|([A-Za-z]+)|\[([^\]\n]{0,500}))"""
)
# Braces in a box are matched two deep (\boxed{\frac{1}{2}}); a box that is cut off counts with what it holds.
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]{0,99}\}){0,99}(?:\}|\Z)){1,300})")
_STYLED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|bf|rm)\s*\{([^{}]*)\}?")

_STYLED_LETTER = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|bf|rm)\s*\{\s*([(\[]?[A-Z][)\].]?)\s*\}"
)
_SEPARATOR = r"\s*(?:/|,|&|\+|\band\b|\bor\b)\s*"
_OPEN = r"[\s*_\"'`(\[{$]*"
_WORD = r"(?:(?:choices?|options?|answers?|letters?)[ _]+)?"
_KEY = rf"{_OPEN}{_WORD}{_OPEN}([A-Z]{{1,4}}|\d{{1,2}})(?!\w|'\w)[)\]]?((?:{_SEPARATOR}{_WORD}\(?[A-Z](?!\w|'\w)\)?)*)"
_IS = r"(?:is|are|was|would be|should be|will be|must be|:|=|\u2013)"
_ASIDE = (
    r"(?:\s*,[^,.\n]{1,30},|\s+(?:here|then|therefore|in this (?:case|scenario|patient|question|setting)"
    r"|to (?:this|the) question))?"
)
_ADVERB = r"(?:(?:most )?likely |probably |therefore |thus |clearly )?"
_AFTER_A = frozenset(
    "and as based because but due for given is not or since so which et y e und oder ou ist est es nicht non no pero"
    " mais sino porque car weil denn perché puesto ya".split()
)
"""Words that may follow the letter A; another word in small letters makes it an article."""
_EXPLICIT = cues(
    (
        "answer|solution",
        r"\b(?:(?:final|correct|best|right) answer|answer(?: choice)?|solution)\b[\s*_]*"
        rf"(?:\((?:option|choice)\))?{_ASIDE}[\s*_]*{_IS}+[\s*_:]*{_ADVERB}{_KEY}",
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
_IMPLICIT = cues(
    (
        "ans|choice",
        rf"\b(?:ans|choice)\s*:[\s*_]*{_KEY}",
    ),
    (
        "answer",
        r"^\W*(?:(?:final|correct|best|right)\s+)?answer\s*[-\u2013\u2014]\s*[*_]*\(?((?-i:[A-Z])|(?<=\()[a-z](?=\)))\)?()"
        r"(?![\w'-])",
    ),
    (
        "is ",
        r"(?<![\w'])(?<!neither )(?<!nor )(?<!not )\(?((?-i:[A-Z]))\)?()\s+is\s+(?:the\s+)?"
        r"(?:correct|best|right|most (?:likely|appropriate))\b",
    ),
    (
        "make",
        r"\bmakes?\s+\(?((?-i:[A-Z]))\)?()\s+(?:the\s+)?(?:correct|best|right|most (?:likely|appropriate))\b",
    ),
    # "The index among these is C. PMA": a letter written as options are lettered.
    (
        "is|are|be",
        r"(?<!so )(?<!neither )(?<!nor )\b(?:is|are|be):?\s+\*{0,2}\(?((?-i:[A-Z]))\)?[.):]()\*{0,2}\s",
    ),
    (
        "it's|it is",
        r"\bit(?:'s| is)\s+\(?((?-i:[A-Z]))\)?()[.\s]*(?=\n|\Z)",
    ),
    (
        "hence|therefore|thus|so",
        r"\b(?:hence|therefore|thus|so)[, ]+\(?((?-i:[A-Z]))\)?()[.\s]*(?=\n|\Z)",
    ),
)
_CUES = (*REVISED, *_EXPLICIT, *PHRASES, *DECIDED, *_IMPLICIT)
_IS_TEXT = re.compile(rf"\banswer(?: choice)?\b[\s*_]*{_IS}+[\s*_:\"']*([^\n]{{2,300}})", re.IGNORECASE)
_VALUE = re.compile(
    rf"\A{_OPEN}{_WORD}{_OPEN}([A-Z]{{1,4}}|\d{{1,2}})(?:[)\]*_\s]*(?:[.):\-\u2013]|\Z|\s\())", re.IGNORECASE
)
_SEVERAL = re.compile(rf"\A\W*{_WORD}[A-Z](?:{_SEPARATOR}{_WORD}[A-Z])+\W*\Z")
_FIRST_LINE = re.compile(rf"\A[\s*_#>\"'(]*{_WORD}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):,\-\u2013]|[\s*_]*(?:\n|\Z))")
_LAST_LINE = re.compile(
    rf"(?:\A|\n)[\s*_#>\"'(]*{_WORD}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):\-\u2013][^\n]*)?[\s*_\"'.]*\Z"
)
_CORRECTION = re.compile(r"\b(?:I mean|I meant|scratch that|or rather)[,:]?\s+(?:option\s+)?\(?([A-Z])\)?(?![\w'])")
_NEGATED = re.compile(
    r"\b(?:not|none|neither|nor|cannot|without|unlikely|incorrect|wrong|except)\b|n't\b", re.IGNORECASE
)
# Full-width letters, figures and signs, and curly quotes, as their plain forms.
_PLAIN: dict[int, int | str | None] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **{0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'},
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
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DENIAL = re.compile(r"不是|并非|而非|ではな|じゃな|でな|없|아니|않")
_CONTRAST = re.compile(r",?\s+(?:(?:and|but)\s+)?(?:not|rather\s+than|instead\s+of)\s", re.IGNORECASE)
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
    if not text.isascii():
        text = in_latin_letters(text.translate(_PLAIN), options)
    text = text.replace("**", "")
    if "\\" in text:
        text = _STYLED_LETTER.sub(r"\1", text)
    if "_" in text:
        text = _EMPHASIS.sub("", text)
    outside = _THINK.sub(" ", text)
    if tagged := [answer for m in _TAGGED.finditer(outside) if (answer := m.group(2).strip())]:
        # As a box does, the tag settles the matter.
        return _choice(tagged[-1], options) if options else _free(tagged[-1]) or tagged[-1]
    parts = (outside, text) if outside != text else (text,)
    for part in parts:
        answer = (_choice(part, options) if options else _free(part)) if part.strip() else None
        if answer is not None:
            return answer
    return None


def _choice(text: str, options: Mapping[str, str]) -> str | None:
    explicit = next(_json_values(text), None) or next(reversed(_boxes(text)), None)
    if explicit is not None:
        return option_in_value(explicit, options)
    small = text.lower()
    for match in chain(chain.from_iterable(cue.matches(text, small) for cue in _CUES), decisions(text)):
        if is_left_open(text, match.start()) or is_hypothetical(text, match) or _is_article(text, match):
            continue
        more = re.findall(r"\b[A-Z]\b", match.group(2) or "")
        key = _key("".join([match.group(1), *more]) if more else match.group(1), options)
        if key is not None:
            return None if _taken_back(text[match.end() :], key) else key
    if (judged := letter_by_verdicts(text, options)) is not None:
        return judged
    for match in reversed(list(_IS_TEXT.finditer(text))):
        key = _option_named(_CONTRAST.split(_SENTENCE_END.split(match.group(1))[0])[0], options)
        if key is not None:
            return key
    for match in reversed(list(IN_WORDS.finditer(text)) if not text.isascii() else []):
        key = _option_inside(match[1], options) or _option_named(match[1], options)
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
    return next((key for s in reversed(closing) if (key := _option_named(s, options)) is not None), None)


def _taken_back(rest: str, key: str) -> bool:
    """Whether the reply goes on to mean another letter, and so settles on none: "The answer is D ... I mean B."."""
    return any(match[1] != key for match in _CORRECTION.finditer(rest))


def _is_article(text: str, match: re.Match[str]) -> bool:
    """Whether the letter that a cue found is an "a", or a capital one: "Answer: A patient with fever needs ..."."""
    if match[1] == "a":
        return text[match.start(1) - 1 : match.end(1) + 1] != "(a)"
    word = re.match(r" ([a-z]{2,})\b", text[match.end() :])
    return match[1] == "A" and word is not None and word[1] not in _AFTER_A


def _key(letters: str, options: Mapping[str, str]) -> str | None:
    """Return `letters` as a key of `options`, or as several of its one-letter keys; None where it is neither."""
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
        return _key("".join(re.findall(r"\b[A-Z]\b", value)), options)
    match = _VALUE.match(value)
    key = _key(match.group(1), options) if match else None
    return key if key is not None else _option_named(value, options)


def _json_values(text: str) -> Iterator[str]:
    """Yield what stands under an answer's field in JSON, whole or broken; of broken JSON the last one first."""
    data = None
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
    if isinstance(data, dict):
        for name in _FIELDS:
            value = data.get(name)
            if isinstance(value, list):
                value = ", ".join(map(str, value))
            if isinstance(value, str | int | float) and str(value).strip():
                yield str(value)
        return
    # Looking for a letter is a hundred times as quick as the pattern.
    if '"' not in text and "'" not in text:
        return
    for match in reversed(list(_FIELD.finditer(text))):
        value = next((group for group in match.groups() if group), "")
        if value.strip(" \"'\\"):
            yield value.replace('\\"', '"').replace('"', "").replace("'", "")


def _option_named(sentence: str, options: Mapping[str, str]) -> str | None:
    """Return the one option that `sentence` names in its own words; None where it names several, or says no."""
    sentence_words = f" {_plain(sentence)} "
    words = {key: _plain(option) for key, option in options.items()}
    exact = [key for key, option in words.items() if option and sentence_words == f" {option} "]
    if exact:
        return exact[0]
    named = [key for key, option in words.items() if len(option) > 2 and f" {option} " in sentence_words]
    # "aspirin" is also named where "aspirin and heparin" is; the longer option is meant.
    named = [k for k in named if not any(k != o and f" {words[k]} " in f" {words[o]} " for o in named)]
    return named[0] if len(named) == 1 and not _NEGATED.search(sentence) else None


def _option_inside(sentence: str, options: Mapping[str, str]) -> str | None:
    """Return the one option of a script without blanks between words that stands in `sentence`."""
    named = [
        key for key, option in options.items() if len(option) > 1 and option in sentence and _UNSPACED.search(option)
    ]
    named = [k for k in named if not any(k != o and options[k] in options[o] for o in named)]
    return named[0] if len(named) == 1 and not _DENIAL.search(sentence) else None


def _plain(text: str) -> str:
    return " ".join(word.strip(".,") for word in re.findall(r"[\w.,%+/-]*\w[%+]?", text.casefold()))


def _boxes(text: str) -> list[str]:
    """Return what stands in the boxes of `text`, in order, without the commands that only style it."""
    boxes = (_STYLED.sub(r"\1", m.group(1)).strip() for m in _BOX.finditer(text))
    return [box for box in boxes if box]


def _free(text: str) -> str | None:
    value = next(_free_values(text), None)
    # A letter alone is an option that the file does not list: "(B)" and "B" are the same.
    bare = re.fullmatch(r"\W*([A-Z])\W*", value or "")
    return bare.group(1) if bare else value


def _free_values(text: str) -> Iterator[str]:
    if boxes := _boxes(text):
        yield boxes[-1]
    for pattern in _FREE:
        values = [re.split(r"[.!]\s", m.group(1))[0].strip(" .!$*_") for m in pattern.finditer(text)]
        if values and values[-1]:
            yield values[-1]
    yield from (value.strip() for value in _json_values(text))


def answer_correct(answer: str | None, gold: str | None, aliases: Iterable[str] = ()) -> bool | None:
    """Return whether `answer` is right; None where there is no gold. An answer that could not be found is wrong.

    A gold of two letters (Mr-Ben's annotators name two where both hold) accepts either and both; an answer in words may
    be any of the gold's `aliases` too.
    """
    if gold is None:
        return None
    if answer is None:
        return False
    if gold.isupper() and answer.isupper() and gold.isalpha() and len(gold) > 1:
        return set(answer) <= set(gold)
    return answer.strip().casefold() in {right.strip().casefold() for right in (gold, *aliases)}
