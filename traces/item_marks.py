"""Marks that the items of a list begin with, in the scripts and languages that medical reasoning is written in."""

from __future__ import annotations

import re
import unicodedata

_STEP = (
    "step|paso|schritt|étape|etape|passo|passaggio|fase|adım|stap|krok|bước|шаг|этап"
    "|الخطوة|خطوة|चरण|कदम|ステップ|手順|步骤|步驟|단계"
)
_COUNT = "[一二三四五六七八九十百\\d]{1,4}"
_COUNT_WORD = (
    "one|two|three|four|five|six|seven|eight|nine|ten|uno|dos|tres|cuatro|cinco|un|deux|trois|quatre|cinq"
    "|eins|zwei|drei|vier|fünf"
)
_ROMAN = "i{1,3}|iv|vi{0,3}|ix|x"
_ORDINAL = (
    "firstly|first|secondly|second|thirdly|third|fourthly|fourth|fifth|next|finally|lastly"
    "|primero|en primer lugar|segundo|tercero|en segundo lugar|finalmente|por último"
    "|premièrement|deuxièmement|troisièmement|d'abord|ensuite|enfin|erstens|zweitens|drittens"
    "|zuerst|zunächst|anschließend|schließlich|primeiro|em primeiro lugar|em segundo lugar"
    "|por fim|primo|in primo luogo|secondo|in secondo luogo|infine|во-первых|во-вторых"
    "|в-третьих|сначала|затем|наконец|首先|其次|再次|然后|接着|最后|最後に|まず|次に"
    "|続いて|먼저|다음으로|마지막으로|पहले|फिर|अंत में"
)
_ARABIC_ORDINAL = "(?:أول|ثاني|ثالث|رابع|خامس|سادس)(?:ًا|اً|ا)"
_DOSE = r"\d+(?:[.,]\d+)?[ \t]*(?:mg|mcg|µg|μg|g|kg|ml|l|mmol|meq|units?|iu|%)(?!\w)"
_CIRCLED = "[①-⑳⑴-⒇❶-❿㊀-㊉]"

ITEM = re.compile(
    r"(?:^|(?<=[\n\r]))[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+][ \t]+)?(?:\*\*|__)?"
    rf"(?:(?:{_STEP})[ \t]*{_COUNT}(?:[ \t]*[:：.)、–—-]+|(?:\*\*|__)?(?=\s))"
    rf"|\[(?:{_STEP}|thought)[ \t]*{_COUNT}\][:：.]?"
    rf"|(?:{_STEP})[ \t]+(?:{_COUNT_WORD})[ \t]*[:：.)–—-]"
    rf"|(?:thought|reason|point|argument|consideration|observation)[ \t]*\d{{1,2}}[ \t]*[:：)–—-]"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|ª|ère|er|ème|e)?[ \t](?:{_STEP})[ \t]*[:：.–—-]"
    # "（一）", "첫째,", "أولاً:", "1°", "1️⃣", "II.", "iii)", "1.2 Next".
    r"|[(（][一二三四五六七八九十]{1,3}[)）]|第[一二三四五六七八九十]{1,3}[,，、:：]|[其首][一二三次先][,，、:：]"
    rf"|(?:첫|둘|셋|넷|다섯|여섯)째[,，:.]|{_ARABIC_ORDINAL}[ \t]*[:،,]"
    r"|\d{1,2}(?:°|\ufe0f?\u20e3)(?=[ \t])"
    rf"|[(（]?(?:{_ROMAN})[)）](?=\s)|(?-i:I{{1,3}}|IV|VI{{0,3}}|IX|X)\.(?=[ \t]+(?-i:[A-ZÀ-Þ]))"
    r"|\d{1,2}\.\d{1,2}\.?(?=[ \t]+(?-i:[A-ZÀ-Þ]))|[а-е][)）](?=\s)"
    # "第一步:", "2단계:", "第1に、".
    rf"|第[ \t]*{_COUNT}[ \t]*(?:步|に|点|段階)[ \t]*[:：.、,，]?"
    r"|\d{1,2}[ \t]*단계[ \t]*[:：.]?"
    # "First, ...", "其次，...", "まず、...", a line each.
    rf"|(?:{_ORDINAL})[ \t]*[,，、:](?=[ \t]|[^\x00-\x7f])"
    r"|(?:option|choice|opci[oó]n|op[cç][aã]o|opzione|選択肢|选项|选項)[ \t]+[a-h][ \t]*[:：.)]"
    rf"|{_CIRCLED}"
    r"|[一二三四五六七八九十]{1,3}[、．]"
    # A dose or a decimal that a wrapped line begins with ("1. 5 mg") is no enumerator.
    rf"|[(（]?\d{{1,2}}(?:[.)）:](?:\*\*|__)?(?=\s)(?![ \t]*{_DOSE})"
    r"|[、．]|\.(?=[^\W\d_]))"
    r"|[(（]?[a-hA-H][)）](?=\s)"
    # "A. Asthma: wheezing would be expected": options that are weighed, but not "E. coli" and no bare option.
    r"|[a-hA-H]\.(?=[ \t]+[^\n]{30}))(?:\*\*|__)?[ \t]*",
    re.IGNORECASE,
)
"""An item's mark at the beginning of a line, with the heading or list sign before it."""
BULLET = re.compile(r"(?:^|(?<=\n))[-*+•‣▪◦●·・–—][ \t]*(?=[^\W\d_]|[\"'(\[])")
"""A bullet at the left margin; those under an item are indented, and belong to it."""
ITEM_OF_A_DOSE = re.compile(rf"(?:^|(?<=\n))[ \t]*\d{{1,2}}\.[ \t]+(?={_DOSE})")
"""A mark before a dose ("3. 2.5 mg of fondaparinux"): an item where the list has come to its number, else a decimal."""
_PLACE = re.compile(rf"[(（]?([a-h])[)）.]|({_CIRCLED})|(\d+)|([一二三四五六七八九十]+)", re.IGNORECASE)
_DIGITS = "一二三四五六七八九"


def item_number(mark: str) -> int | None:
    """Return the number that an item's mark says; None where it has none. Letters count from a = 1."""
    match = _PLACE.search(mark)
    if match is None:
        return None
    letter, circled, digits, chinese = match.groups()
    if letter:
        return ord(letter.lower()) - ord("a") + 1
    if circled:
        return int(unicodedata.numeric(circled))
    return int(digits) if digits else _chinese_number(chinese)


def is_lettered(mark: str) -> bool:
    """Whether the mark is a letter: options are lettered, too, so one alone is no item."""
    match = _PLACE.search(mark)
    return match is not None and match[1] is not None


def _chinese_number(text: str) -> int:
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS.index(text[0]) + 1
    return 10 * (_DIGITS.index(tens[0]) + 1 if tens else 1) + (_DIGITS.index(ones[0]) + 1 if ones else 0)
