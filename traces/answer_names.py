"""The option that a sentence names: by the option's own words, or by its letter beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NEGATED = re.compile(
    r"\b(?:not|none|neither|nor|cannot|without|unlikely|incorrect|wrong|except)\b|n't\b", re.IGNORECASE
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DENIAL = re.compile(
    r"不|并非|而非|没|無|无|ではな|じゃな|でな|誤|없|아니|아닙|않|틀|नहीं|गलत|ليس|لا |غير"
    r"|\bне|\bno\b|\bnon\b|\bpas\b|\bnicht\b|\bkein|\bn[ãa]o\b",
    re.IGNORECASE,
)


def option_named(sentence: str, options: Mapping[str, str]) -> str | None:
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


def option_inside(sentence: str, options: Mapping[str, str]) -> str | None:
    """Return the one option of a script without blanks between words that stands in `sentence`."""
    named = [
        key for key, option in options.items() if len(option) > 1 and option in sentence and _UNSPACED.search(option)
    ]
    named = [k for k in named if not any(k != o and options[k] in options[o] for o in named)]
    return named[0] if len(named) == 1 and not _DENIAL.search(sentence) else None


def _plain(text: str) -> str:
    return " ".join(word.strip(".,") for word in re.findall(r"[\w.,%+/-]*\w[%+]?", text.casefold()))


def option_lettered(sentence: str, options: Mapping[str, str]) -> str | None:
    """Return the one option whose words stand beside its letter: "insulin (B)", "B) insulin"; None where it says no."""
    folded = sentence.casefold()
    beside = [
        key
        for key, option in options.items()
        if len(option) > 1
        and option.casefold() in folded
        and re.search(
            rf"{re.escape(option.casefold())}\s*\(\s*{re.escape(key.casefold())}\s*\)"
            rf"|(?<!\w){re.escape(key.casefold())}\s*[).:、]\s*{re.escape(option.casefold())}",
            folded,
        )
    ]
    negated = _NEGATED.search(sentence) or _DENIAL.search(sentence)
    return beside[0] if len(beside) == 1 and not negated else None
