"""The final answer of a reply: an option's key, found the way the benchmarks' own scripts and readers would find it.

Cues are tried from the most explicit to the least, and within one cue the last mention counts: a trace that weighs
options names many letters, and what it says last is what it answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_THINK = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_JSON_KEYS = ("answer_choice", "answer", "final_answer", "answer_idx", "choice", "prediction")
_JSON_FIELD = re.compile(
    rf"""["'](?:{"|".join(_JSON_KEYS)})["']\s*:\s*(?:"((?:[^"\\]|\\.){{0,500}})|'([^'\n]{{0,500}})|([A-Za-z]+)|\[([^\]\n]{{0,500}}))"""
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{(?:\\text\s*\{)?([^{}\n]{1,300})\}?")
_MORE = r"(?:\s*(?:/|,|&|\band\b|\bor\b)\s*(?:(?:choice|option)[ _])?\(?([A-Z])\)?(?![A-Za-z']))?"
_NAMED = r"(?:(?:choice|option|answer|letter)[ _]+)?"
_OPEN = r"[\s*_\"'`(\[{$]*"
_CUES = (
    re.compile(
        r"\b(?:final answer|(?:correct|best|right) answer|answer(?: choice)?|solution)\b[\s*_]*"
        rf"(?:\((?:option|choice|letter)\))?[\s*_]*(?:is|are|would be|should be|will be|must be|:|=|-|\u2013)+[\s*_:]*"
        rf"(?:most likely |likely |probably |therefore |thus |clearly )?{_OPEN}{_NAMED}{_OPEN}([A-Z]{{1,4}})(?![A-Za-z'])[)\]]?{_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:correct|best|right|most (?:likely|appropriate|accurate)|appropriate|final)\s+(?:answer|choice|option|diagnosis"
        rf"|treatment|management|step|response)\b[^.\n]{{0,80}}?\b(?:is|are|would be|:)[\s*_:]*{_OPEN}{_NAMED}{_OPEN}([A-Z]{{1,4}})"
        rf"(?![A-Za-z'])[)\]]?{_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:choose|select|pick|go with|choosing|selecting)\s+{_NAMED}{_OPEN}([A-Z])(?![A-Za-z'])[)\]]?{_MORE}", re.I
    ),
    re.compile(
        rf"\b(?:choice|option|answer)[ _]+\(?([A-Z])\)?(?![A-Za-z']){_MORE}[^.\n]{{0,120}}\b(?:is|as)\s+(?:therefore |thus |likely )*(?:the\s+)?"
        r"(?:most\s+(?:likely|appropriate|accurate)|correct|best|right)",
        re.IGNORECASE,
    ),
)
_FIRST_LINE = re.compile(
    rf"\A[\s*_#>\"'(]*{_NAMED}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):,\-\u2013]|[\s*_]*(?:\n|\Z))", re.I
)
_LAST_LINE = re.compile(
    rf"(?:\A|\n)[\s*_#>\"'(]*{_NAMED}[(\[]?([A-Z]{{1,4}})[)\]]?(?:[\s*_]*[.):\-\u2013][^\n]*)?[\s*_\"'.]*\Z", re.I
)
_ITALIC_A = re.compile(r"\Aa\s", re.I)


def extract_answer(text: str, options: Mapping[str, str]) -> str | None:
    """Return the option key that `text` settles on, or None where no rule finds one.

    Understands JSON (`answer_choice`, also when the JSON is broken), `\\boxed{}`, "the answer is", "Answer: B",
    "Solution: Choice_B", a reply that opens or closes with a letter, and the option's own text. Text inside `<think>`
    is looked at only when nothing stands outside it. Several keys (`C/D`, `BD`) come back as one sorted key, `CD`.

    Args:
        text: The reply.
        options: Option key to option text. Without options the answer is free text: the content of a box, or what
            follows the last "answer is", or a final `#### 42`.
    """
    outside = _THINK.sub(" ", text)
    for part in (outside, text) if outside.strip() and outside != text else (text,):
        found = _from_options(part, options) if options else _free(part)
        if found is not None:
            return found
    return None


def _keys(letters: str, options: Mapping[str, str]) -> str | None:
    """Return `letters` as a key of `options`, or as several of its one-letter keys; None where it is neither."""
    exact = {key.casefold(): key for key in options}
    if letters.casefold() in exact:
        return exact[letters.casefold()]
    found = [exact.get(letter.casefold()) for letter in letters]
    if len(found) > 1 and None not in found and letters.isupper():
        return "".join(sorted({key for key in found if key}))
    return None


def _from_options(text: str, options: Mapping[str, str]) -> str | None:
    for value in (*_json_values(text), *reversed([m.group(1) for m in _BOXED.finditer(text)])):
        found = _from_value(value, options)
        if found is not None:
            return found
    for cue in _CUES:
        for match in reversed(list(cue.finditer(text))):
            letters = "".join(group for group in match.groups() if group)
            # "the answer is a ..." is an article, not option A.
            if match.group(1) == "a":
                continue
            found = _keys(
                letters if len(letters) == 1 else letters.upper() if len(match.group(1)) == 1 else letters, options
            )
            if found is not None:
                return found
    return _at_the_edges(text, options) or _by_text(text, options)


def _from_value(value: str, options: Mapping[str, str]) -> str | None:
    """Return the key that a short value names: `B`, `B. Aspirin`, `(B)`, `Option B`, `Aspirin`, `B, D`."""
    value = value.strip().strip("\"'*$ ")
    match = _FIRST_LINE.match(value)
    if match and not _ITALIC_A.match(value):
        letters = (
            re.findall(r"\b([A-Z])\b", value)
            if re.fullmatch(r"[A-Z](?:\s*(?:,|/|and|or|&)\s*[A-Z])+\.?", value)
            else []
        )
        found = _keys("".join(letters) or match.group(1), options)
        if found is not None:
            return found
    return _by_text(value, options)


def _json_values(text: str) -> Iterator[str]:
    """Yield what stands under an answer's key in JSON, whole or broken; the last one first."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        for key in _JSON_KEYS:
            value = data.get(key)
            if isinstance(value, list) and value:
                value = ", ".join(str(v) for v in value)
            if isinstance(value, str | int | float) and str(value).strip():
                yield str(value)
        return
    for match in reversed(list(_JSON_FIELD.finditer(text))):
        value = next((group for group in match.groups() if group), "")
        if value.strip(" \"'"):
            yield value.replace('\\"', '"').replace('"', "").replace("'", "")


def _at_the_edges(text: str, options: Mapping[str, str]) -> str | None:
    for pattern in (_FIRST_LINE, _LAST_LINE):
        match = pattern.search(text)
        if match and match.group(1).isupper():
            found = _keys(match.group(1), options)
            if found is not None:
                return found
    return None


def _by_text(text: str, options: Mapping[str, str]) -> str | None:
    """Return the option whose text is named last in the closing sentences; a longer option beats one inside it."""
    tail = _plain(text[-600:])
    best: tuple[int, int, str] | None = None
    for key, option in options.items():
        words = _plain(option)
        at = f" {tail} ".rfind(f" {words} ") if len(words) > 2 else -1
        if at >= 0:
            end = at + len(words)
            if best is None or (end, len(words)) > best[:2]:
                best = (end, len(words), key)
    return best[2] if best else None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w.%+-]*\w[%+]?", text.casefold()))


_FREE = (
    re.compile(r"####\s*([^\n]{1,300})"),
    re.compile(
        r"\banswer\s*(?:is|:|=)\s*\**\s*([^\n]{1,300}?)\**(?=[.!]?(?:\s|\Z)(?:\Z|\n|[A-Z])|[.!]?\Z|\n)", re.IGNORECASE
    ),
)


def _free(text: str) -> str | None:
    for pattern in (_BOXED, *_FREE):
        found = [m.group(1).strip().rstrip(".") for m in pattern.finditer(text)]
        if found and found[-1]:
            return found[-1].strip("$* ")
    return next((v.strip() for v in _json_values(text)), None)


def answer_correct(answer: str | None, gold: str | None) -> bool | None:
    """Return whether `answer` is right; None where there is no gold. An answer that could not be found is wrong.

    A gold of two letters (Mr-Ben's annotators name two where both hold) accepts either and both.
    """
    if gold is None:
        return None
    if answer is None:
        return False
    if gold.isupper() and answer.isupper() and gold.isalpha() and len(gold) > 1:
        return set(answer) <= set(gold)
    return answer.strip().casefold() == gold.strip().casefold()
