"""Marks that the items of a list begin with, in the scripts and languages that medical reasoning is written in."""

from __future__ import annotations

import re

from tracejury.traces.item_words import (
    ADVERBS,
    CONCLUSIONS,
    COUNT_WORDS,
    LABELS,
    OPTIONS,
    ORDINALS,
    ORDINALS_AFTER,
    ROMAN,
    STEPS,
    UNITS,
    one_of,
)

_STEP, _LABEL, _ROMAN = one_of(STEPS), one_of(LABELS), one_of(ROMAN)
_COUNT = r"(?:#|№|n[°º.]|no\.)?[ \t]*[一二三四五六七八九十百\d]{1,4}(?:[ \t]*(?:/|of|de|sur|von|di)[ \t]*\d{1,2})?"
_SIGN = r"[ \t]*(?:\*\*|__)?[ \t]*[:：.)、–—-]+"
_ARABIC_ORDINAL = "(?:أول|ثاني|ثالث|رابع|خامس|سادس)(?:ًا|اً|ا)"
_DOSE = rf"\d{{1,3}}[ \t]*(?:{one_of(UNITS)})(?!\w)"
_CIRCLED = "[①-⑳⑴-⒇❶-❿㊀-㊉]"
_LINE = r"(?:^|(?<=[\n\r]))[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+][ \t]+)?(?:\*\*|__|\*)?"
_END = r"(?:\*\*|__|\*)?[ \t]*"
# What an option says must be more than its name, which a question that is quoted has too.
_SAYS_MORE = "(?=[ \\t]*(?:\\S[^\\n]{29}|[^\\n]{0,9}[\u3040-\ud7a3]{6}))"

ITEM = re.compile(
    rf"{_LINE}"
    rf"(?:(?:{_STEP})[ \t]*{_COUNT}(?:{_SIGN}|(?:\*\*|__)?(?=\s))"
    rf"|[\[(（【](?:{_STEP}|thought)[ \t]*{_COUNT}[\])）】][:：.]?"
    rf"|(?:{_STEP})[ \t]+(?:{one_of(COUNT_WORDS)}|(?-i:[IVX]{{1,4}}|[A-H])){_SIGN}"
    rf"|(?:{_LABEL})[ \t]*(?:{_COUNT}){_SIGN}"
    rf"|(?:{one_of(ORDINALS)})[ \t]+(?:{_STEP}|{_LABEL}){_SIGN}"
    rf"|(?:{_STEP}|{_LABEL})[ \t]+(?:{one_of(ORDINALS_AFTER)}){_SIGN}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|º|ª|ère|er|ème|e)?[ \t](?:{_STEP}){_SIGN}"
    # "（一）", "첫째,", "두 번째로,", "一つ目は", "أولاً:", "1°", "1️⃣", "II.", "iii)", "1.2 Next".
    r"|[(（][一二三四五六七八九十]{1,3}[)）]|第[一二三四五六七八九十]{1,3}[,，、:：]|[其首][一二三次先][,，、:：]"
    rf"|(?:첫|둘|셋|넷|다섯|여섯)째[,，:.]|(?:첫|두|세|네|다섯) ?번째(?:로|는)?[,，:]|{_ARABIC_ORDINAL}[ \t]*[:،,]"
    r"|[一二三四五六七八九\d]つ目[はに]?[、:：]?"
    r"|\d{1,2}(?:\.?[°ºª]\)?|\ufe0f?\u20e3)(?=[ \t])"
    rf"|[(（]?(?:{_ROMAN})[)）](?=\s)|(?-i:I{{1,3}}|IV|VI{{0,3}}|IX|X)\.(?=[ \t]+(?-i:[A-ZÀ-Þ]))"
    r"|\d{1,2}\.\d{1,2}\.?(?=[ \t]+(?-i:[A-ZÀ-Þ]))|[а-е][)）](?=\s)"
    # "第一步:", "2단계:", "第1に、".
    rf"|第[ \t]*{_COUNT}[ \t]*(?:步|に|点|段階)[ \t]*[:：.、,，]?"
    r"|\d{1,2}[ \t]*단계[ \t]*[:：.]?"
    # "First, ...", "其次，...", "まず、...", a line each.
    rf"|(?:{one_of(ADVERBS)})[ \t]*[,，、:](?=[ \t]|[^\x00-\x7f])"
    rf"|(?:{one_of(OPTIONS)})[ \t]+[a-h][ \t]*(?:\*\*|__)?[ \t]*[:：.)]"
    rf"|{_CIRCLED}"
    r"|[一二三四五六七八九十]{1,3}[、．]"
    # A decimal that a wrapped line begins with ("2. 5 mg") is no enumerator.
    rf"|[(（]?\d{{1,2}}(?:(?:\.(?:\*\*|__)?(?=\s)(?![ \t]*{_DOSE})|\.?[)）](?:\*\*|__)?(?=\s)|:(?:\*\*|__)?(?=\s))"
    r"|[、．]|\.(?=[^\W\d_]))"
    r"|[(（]?[a-hA-H][)）](?=\s)"
    # "A. Asthma: wheezing would be expected": options that are weighed, but not "E. coli" and no bare option.
    rf"|[a-hA-H]\.(?=[ \t]){_SAYS_MORE}){_END}",
    re.IGNORECASE,
)
"""An item's mark at the beginning of a line, with the heading or list sign before it."""
SERIES_ITEM = re.compile(
    rf"{_LINE}(?:[(（\[【]\w{{1,2}}[)）\]】]|\w{{1,2}}[)）](?=[^\W\d_])|#\d{{1,2}}[:.)]|\d{{1,2}}[:：](?=[^\W\d_])"
    r"|\d{1,2}(?:/|[ \t]?[-–—])(?=[ \t])|\d{1,2}[-–—](?=[^\W\d_a-z])"
    rf"|[A-H](?:[ \t]?[-–—](?=[ \t])|[:：项項]){_SAYS_MORE}"
    r"|[a-h가나다라마바사아कखगघ]\.(?=[ \t]))"
    + _END
    # "Step 1: ... Step 2: ..." in one line.
    + rf"|(?<=[.!?。][ \t])(?:\*\*)?(?i:{_STEP})[ \t]*\d{{1,2}}(?:\*\*)?[ \t]*[:：]{_END}"
)
"""A mark that is one only where others of its form stand before or behind it, counted from one."""
BULLET = re.compile(r"(?:^|(?<=\n))[-*+•‣▪◦●·・–—→➤►▶■◆✓✔☑✅❌✗][ \t\ufe0f]*(?=[^\W_]|[\"'(\[]|\*\*|__)(?!\*\*\n)")
"""A bullet at the left margin; those under an item are indented, and belong to it."""
CONCLUSION = re.compile(rf"(?<=\n)(?:\*\*)?(?:{one_of(CONCLUSIONS)})(?!\w*[a-z])", re.IGNORECASE)
"""The beginning of a line that concludes; its words belong to the step."""
ITEM_OF_A_DOSE = re.compile(rf"(?:^|(?<=\n))[ \t]*\d{{1,2}}\.[ \t]+(?={_DOSE})", re.IGNORECASE)
"""A mark before a dose ("3. 5 mg of warfarin"): an item where the list has come to its number, else a decimal."""
