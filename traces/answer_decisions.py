"""How English replies decide without the word "answer": by elimination, by a change of mind, by a verb of choice.

Group 1 is the letter, group 2 what may be further letters. A letter counts only in capitals, or small in brackets.
"""

from __future__ import annotations

import re

from tracejury.traces.answer_cues import cues, holds_one

_KEY = r"[*_\"'`(\[]{0,3}((?-i:[A-Z]))(?![\w'])[)\]]?(?!\s*(?:,|/|&|and|or)\s*(?:option\s+)?\(?(?-i:[A-Z])(?![\w']))()"
_WORD = r"(?:(?:the|with|option|choice|answer|letter)\s+){0,3}"
_CHOOSE = (
    r"(?:settl(?:e|ed|ing)\s+on|(?:go|going|went)\s+(?:with|for)|opt(?:ed|ing)?\s+for|choos(?:e|ing)|pick(?:ing)?|select(?:ing)?"
    r"|commit(?:ting)?\s+to|stick(?:ing)?\s+with|sid(?:e|ing)\s+with|lean(?:ing)?(?:\s+towards?)?)"
)

REVISED = cues(
    (
        "chang|revis|switch|amend|updat|correct",
        r"\b(?:chang(?:e|ed|ing)|revis(?:e|ed|ing)|switch(?:ed|ing)?|amend(?:ed|ing)?|updat(?:e|ed|ing)|correct(?:ed|ing)?)\s+"
        rf"(?:my|the|this)\s+(?:\w+\s+)?(?:answer|choice|mind|response|diagnosis)[^.\n]{{0,20}}?\bto\s+{_WORD}{_KEY}",
        0,
    ),
    (
        "now",
        rf"\b(?:but|so)\s+now\b[^.\n]{{0,25}}?\b(?:{_CHOOSE}|prefer|say|think\s+it\s+is)\s+{_WORD}{_KEY}",
    ),
)
"""A change of mind counts before everything else that is said in words."""

DECIDED = cues(
    (
        "settl|go |going|went|opt|choos|pick|select|commit|stick|side |siding|lean",
        rf"\b{_CHOOSE}\s+{_WORD}{_KEY}",
    ),
    (
        "leav|left|narrow",
        r"\b(?:leav(?:es?|ing)|left\s+with|narrow(?:s|ed)?\s+(?:it\s+|this\s+)?down\s+to)\s+(?:us\s+|me\s+)?(?:with\s+)?"
        rf"(?:only\s+|just\s+)?{_WORD}{_KEY}",
    ),
    (
        "only",
        rf"\bonly\s+{_WORD}{_KEY}\s+(?:remains?|is\s+left|fits|survives|works|makes\s+sense|explains)\b",
    ),
    (
        "must|has|have|can only",
        rf"\b(?:it|this|that|answer)\s+(?:must|has\s+to|would\s+have\s+to|can\s+only)\s+be\s+{_WORD}{_KEY}",
    ),
    (
        "pick|choice|answer|selection|vote|guess|preference",
        r"\bmy\s+(?:final\s+|best\s+)?(?:pick|choice|answer|selection|vote|guess|preference)\b[^.\n]{0,20}?(?:\bis\b|:|\bwould\s+be\b|=)\s*"
        rf"{_WORD}{_KEY}",
    ),
    (
        "fit|match",
        rf"\b(?:best|closest)\s+(?:fit|match)\b[^.\n]{{0,30}}?(?:\bis\b|:)\s*{_WORD}{_KEY}",
    ),
    (
        "elimination|exclusion",
        rf"\bby\s+(?:process\s+of\s+)?(?:elimination|exclusion)\b[^.\n]{{0,30}}?[,:]?\s+{_WORD}{_KEY}(?=\s*(?:[.!\n]|\Z))",
    ),
    (
        "it is|is what|is my|is the|best|does",
        rf"(?<![\w']){_KEY}\s+(?:it\s+is\b|is\s+(?:what\s+(?:I|we|they|the\s+question|is)\b|my\s+(?:final\s+)?(?:answer|choice|pick)|the\s+(?:answer|one))\b"
        r"|(?:fits?|seems?|looks?|is)\s+(?:the\s+)?best\b|does(?=[.!\s]*(?:\n|\Z)))",
    ),
    (
        "remain|left|only",
        rf"\b(?:remaining|only\s+(?:remaining|plausible|possible|viable)|last)\s+(?:option|choice|answer|candidate|one)(?:\s+left)?"
        rf"[,:]?\s+(?:is\s+)?{_WORD}{_KEY}",
    ),
    # "B blocks aldosterone and is therefore the answer".
    (
        "and ",
        rf"(?<![\w']){_KEY}\s+(?!and\b|or\b)[a-z][^.\n]{{1,80}}?\band\s+(?:(?:is|so|therefore|thus|hence|it\s+is)\s+)*"
        r"(?:what\s+I|(?:the|my)\s+(?:correct\s+|best\s+|right\s+)?(?:answer|choice)\b)",
    ),
    (
        "better|superior|prefer|likely|appropriate|suitable|consistent|favo|best|stronger|plausible",
        rf"(?<![\w']){_KEY}\s+(?:is|seems|appears|looks|remains|would\s+be)\s+(?:the\s+|a\s+)?(?:clearly\s+|much\s+|far\s+)?"
        r"(?:better|superior|preferred|preferable|stronger|favou?red|best"
        r"|more\s+(?:likely|appropriate|suitable|consistent|plausible|fitting))\b",
    ),
    (
        "correct|right|best",
        rf"(?<![\w']){_KEY},?\s+(?:rather\s+than|and\s+not|not|instead\s+of)\s+{_WORD}\(?(?-i:[A-Z])\)?,?\s+is\s+(?:the\s+)?"
        r"(?:correct|right|best)\b",
    ),
    (
        "correct",
        rf"(?<![\w-])correct\s*:\s*{_WORD}{_KEY}",
    ),
    (
        "which is",
        rf"(?<![\w']){_KEY},?\s+which\s+is\s+(?:my|the|our)\s+(?:final\s+|best\s+|correct\s+)?(?:answer|choice|pick|option)\b",
    ),
    (
        "which is|that is|namely|i.e.|i. e.",
        rf"\b(?:answer|choice|option|diagnosis|treatment|management|step|drug|agent|test)\s+(?:here\s+)?(?:is|would\s+be)\s+[^.\n]{{1,80}}?,\s+"
        rf"(?:which\s+is|that\s+is|namely|i\.\s?e\.),?\s+(?:the\s+)?(?:option|choice|answer|letter)\s+{_KEY}",
    ),
    (
        "wins|win ",
        rf"(?<![\w']){_KEY}\s+(?:wins|wins\s+out|would\s+win)\b",
    ),
    (
        "final|definitely|certainly|conclusion|recommend|favor|favour",
        r"\b(?:final(?:ly)?\s*[:,]|definitely|certainly|(?:in\s+)?conclusion\s*[:,]|(?:recommend|favou?r)s?)\s+"
        rf"{_WORD}{_KEY}(?=[.!\s]*(?:\n|\Z))",
    ),
    (
        "say",
        rf"\bI(?:'d|\s+would)?\s+say\s+{_WORD}{_KEY}",
    ),
    (
        "goes|falls",
        rf"\b(?:vote|choice|pick|preference)\s+(?:goes|falls)\s+(?:to|on|for)\s+{_WORD}{_KEY}",
    ),
    (
        "points",
        rf"\bpoints\s+(?:us\s+)?to(?:wards?)?\s+{_KEY}(?=[.\s]*(?:\n|\Z))",
    ),
    (
        "hence|therefore|thus|so",
        rf"\b(?:hence|therefore|thus|so)[, ]+(?:the\s+)?(?:option|choice|answer)?\s*{_KEY}(?=[.\s]*(?:\n|\Z))",
    ),
    (
        "correspond|matches|points|consistent",
        rf"\b(?:corresponds?\s+to|matches|points\s+to|consistent\s+with)\s+(?:option|choice|answer)\s+{_KEY}",
    ),
)
"""Less than a plain answer, more than a letter at the edge of the reply."""

_DENIED = re.compile(
    r"(?:\b(?:wrong|incorrect[ao]?|false|falsche|mauvaise|fausse|errada|sbagliata)\s*(?:(?:answer|choice|option|antwort|lösung)\s*)?\Z)"
    r"|(?:错误|錯誤|誤った|間違った|잘못된|неверный|неправильный)\s*\Z"
    r"|(?:\b(?:not|never|cannot|neither|nor|hardly|rather\s+than|instead\s+of|without|rules?\s+out|exclud(?:es?|ing))"
    r"|n['’]t)"
    r"(?:\s+(?:be|have|to|think|believe|say|mean|that|it|is|really|quite|simply)){0,4}\s*\Z",
    re.IGNORECASE,
)
_UNDECIDED = re.compile(
    r"(?:\b(?:cannot|could\s+not|unable\s+to|(?:hard|difficult|impossible)\s+to)|\bcan['’]t|\bcouldn['’]t)\s+"
    r"(?:\w+\s+){0,2}(?:decide|determine|tell|say|know|conclude)\b[^.\n]{0,30}\Z"
    r"|\b(?:un(?:clear|certain|sure)|not\s+(?:clear|certain|sure)|don['’]t\s+know)\b[^.\n]{0,12}"
    r"\b(?:if|whether|which)\b[^.\n]{0,30}\Z"
    r"|\b(?:ich\s+glaube\s+nicht|no\s+creo|ne\s+(?:crois|pense)\s+pas|não\s+(?:acho|creio)|non\s+(?:credo|penso)|не\s+думаю)\b,?\s+"
    r"(?:dass|que|che|что)\b[^.\n]{0,30}\Z"
    r"|(?:无法|無法|不能|难以|難以)(?:确定|確定|判断|判斷|断定|肯定)[^。\n]{0,12}\Z|不(?:确定|確定|知道)[^。\n]{0,12}\Z",
    re.IGNORECASE,
)
_SIGNS = (
    *("not", "nor", "n't", "never", "neither", "rather", "instead", "without", "rule", "exclud", "hard", "difficult"),
    *("wrong", "incorrect", "false", "falsch", "mauvaise", "fausse", "errada", "sbagliata"),
    *("impossible", "unable", "unclear", "uncertain", "unsure"),
)
"""One of these stands, in small letters, in any ASCII text that denies or leaves open."""
_FIRST_SIGNS = (
    *("first", "initial", "originally", "zuerst", "anfangs", "principio", "inicial", "d'abord", "inizi", "inicio"),
    *("was", "were", "been", "almost", "nearly", "tempt", "might", "may", "could", "would", "will", "often"),
)
"""One of these stands, in small letters, in any ASCII clause that `_FIRST_THOUGHT` matches."""
_WINDOW = 90
"""Characters before a phrase in which it can be denied or left open."""


_FIRST_THOUGHT = re.compile(
    # "I was leaning towards C", "I almost chose C", "it is tempting to pick C", "many would choose C".
    r"\b(?:(?:I|we)\s+(?:was|were|had\s+been)\s+(?:about\s+to|going\s+to|tempted\s+to|inclined\s+to|torn|first|still|already|just)?"
    r"|(?:almost|nearly|tempting\s+to|tempted\s+to)|(?:one|you|many|most|some|someone|students?|people|others?)"
    r"\s+(?:(?:might|may|could|would|will|often)\s+)+(?:be\s+tempted\s+to)?)\s*\Z"
    r"|(?:\b(?:at\s+first|initially|originally|my\s+(?:first|initial)\s+(?:thought|guess|answer|draft)|zuerst|zunächst|anfangs|al\s+principio|inicialmente"
    r"|d'abord|au\s+(?:début|départ)|initialement|all'inizio|inizialmente|no\s+in[ií]cio|сначала|вначале|पहले)\b|起初|最初|先前|一开始|刚开始|初め|はじめ"
    r"|처음|우선은|ظننت|في\s+البداية|بداية)(?:(?!지만|으나|けれど|但|لكن|लेकिन|\b(?:but|pero|mais|mas|ma|aber|doch|но)\b)[^.。;；,，،、\n]){0,40}\Z",
    re.IGNORECASE,
)
_WOULD = re.compile(r"\b(?:would|serait|sera|w[äa]re|ser[ií]a|sarebbe|был[ао]?\s+бы|бы)\b", re.IGNORECASE)
_IF = re.compile(
    r"[^.\n;]{0,60}?(?:\bif\s+(?!the\s+(?:answer|options?)\b)|\bs'(?:ils?|elles?|on)\b|\bsi\s|\b(?:wenn|falls|se|если|had\s+(?:he|she|the))\s)",
    re.IGNORECASE,
)
_IF_BEFORE = re.compile(
    r"(?:\A|[.!?\n])\W*(?:but\s+|however,\s+)?if\s+(?!I\b|we\b|you\b|one\b|asked\b|forced\b|pressed\b)[^.\n]{0,60}\b(?:were|had|was)\b"
    r"[^.\n]{0,60}\Z",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:un(?:certain|sure|able)|not\s+(?:certain|sure|confident)|can(?:not|'t)\s+(?:\w+\s+)?(?:tell|say|decide|determine|answer)"
    r"|don't\s+know|no\s+idea)\b",
    re.IGNORECASE,
)


def is_hypothetical(text: str, match: re.Match[str]) -> bool:
    """Whether a phrase says what would be the answer in another case: "The answer would be C if she were pregnant"."""
    if _WOULD.search(text, max(0, match.start() - len("would ")), match.end()) is None:
        return False
    before = text[max(0, match.start() - 2 * _WINDOW) : match.start()]
    return _IF.match(text, match.end()) is not None or _IF_BEFORE.search(before) is not None


def is_unsure(sentence: str) -> bool:
    """Whether a sentence says that its author does not know."""
    return _UNSURE.search(sentence) is not None


def is_no_decision(text: str, start: int) -> bool:
    """Whether what stands before the phrase at `start` denies it, leaves it open, or calls it a first thought."""
    begin = max(0, start - _WINDOW)
    before = text[begin:start]
    is_ascii, small = before.isascii(), before.lower()
    if (not is_ascii or holds_one(small, _SIGNS)) and (_DENIED.search(before) or _UNDECIDED.search(before)):
        return True
    # A first thought and its answer stand in one clause.
    clause = small[max(small.rfind("."), small.rfind(","), small.rfind(";")) + 1 :]
    if is_ascii and not holds_one(clause, _FIRST_SIGNS):
        return False
    return _FIRST_THOUGHT.search(text, begin, start) is not None
