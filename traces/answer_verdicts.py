"""Replies that judge the options one by one: "A: incorrect, B: correct, C: incorrect", with words or signs."""

from __future__ import annotations

import re
from collections.abc import Mapping

_RIGHT = (
    r"correct[ao]?e?|right|true|yes|possible|fits|applies|s[ií]|verdader[ao]|vraie?|juste|oui|richtig|ja|cert[ao]|corret[ao]|sim|corrett[ao]|vero"
    r"|верно|правильно|да|正确|正確|对|對|正しい|適切|맞음|맞다|맞습니다|옳음|옳다|صحيح[ة]?|सही|[✓✔✅☑○◯⭕🟢👍]\ufe0f?"
)
_WRONG = (
    r"incorrect[ao]?e?|wrong|false|no(?:t\s+(?:correct|right|likely|this))?|unlikely|excluded|ruled\s+out|eliminated|impossible|(?:does|do|did)(?:\s+not|n't)\s+(?:fit|apply|match)"
    r"|fals[ao]|fausse?|faux|non|falsch|nein|errad[ao]|n[ãa]o|sbagliat[ao]|errat[ao]|неверно|неправильно|нет"
    r"|错误|錯誤|错|錯|不正确|不正確|不对|不對|誤り|間違い|不適切|×|틀림|틀리다|틀렸다|틀립니다|아니다|خطأ|خاطئ[ة]?|غير\s+صحيح[ة]?|गलत|ग़लत|[✗✘❌✕✖🔴👎]\ufe0f?"
)
_VERDICT = re.compile(
    r"(?:\A|[\n,;.，、。；|،؛।])[\s\-*•#|]*(?:and\s+|but\s+)?(?:(?:option|choice|answer|opci[oó]n|op[cç][aã]o|opzione|antwort|вариант|选项|選択肢|الخيار|विकल्प)\s*)?"
    r"[*_(\[]{0,3}([A-Z])(?![\w'])[)\]*_.:]{0,4}\s*"
    r"(?:[-–—:=→|]+|is|was|est|es|ist|é|è|は|는|은|हे|है)?[\s*_]*(?:clearly\s+|also\s+|the\s+)?"
    rf"(?:(?P<wrong>{_WRONG})|(?P<right>{_RIGHT}))(?![A-Za-zÀ-ÿ\u0400-\u04ff])",
    re.IGNORECASE,
)

_L = r"\(?(?-i:[A-Z])\)?"
_AND = "and|or|&|y|et|und|e|o|ou|oder|и|和|、|と|와|و|और"
_LIST = (
    rf"(?<![\w,])((?:options?\s+|choices?\s+)?{_L}(?:\s*,\s*{_L}){{0,8}},?\s*(?:{_AND})\s*(?:option\s+)?{_L})(?![\w'])"
)
_ALL_WRONG = re.compile(
    rf"\b(?:rul(?:es?|ed|ing)\s+out|exclud(?:es?|ed|ing)|eliminat(?:es?|ed|ing))\s+{_LIST}"
    rf"|{_LIST}\s+(?:are|can\s+be|were|son|sont|sind|são|sono)\s+(?:all\s+|therefore\s+|clearly\s+|tous\s+|todas\s+|tutte\s+|alle\s+)?"
    rf"(?:{_WRONG}s?)(?![A-Za-z])",
    re.IGNORECASE,
)


def letter_by_verdicts(text: str, options: Mapping[str, str]) -> str | None:
    """Return the one option that is called right, or the only one that is not called wrong; None where neither holds.

    All options but one must have been judged, so that a remark on one of them decides nothing.
    """
    keys = {key.casefold(): key for key in options}
    is_right: dict[str, bool] = {}
    for match in _VERDICT.finditer(text):
        key = keys.get(match[1].casefold())
        if key is not None:
            is_right[key] = match["right"] is not None
    for match in _ALL_WRONG.finditer(text):
        listed = re.findall(r"\b[A-Z]\b", match[1] or match[2])
        is_right |= {keys[letter.casefold()]: False for letter in listed if letter.casefold() in keys}
    if len(options) < 3 or len(is_right) < len(options) - 1:
        return None
    right = [key for key, verdict in is_right.items() if verdict]
    if not right and len(is_right) == len(options) - 1:
        right = [key for key in options if key not in is_right]
    return right[0] if len(right) == 1 else None
