"""Words that number a thought ("Step 2", "second reason", "Paso", "第二步"), by language: tables, and no rules."""

from __future__ import annotations

STEPS = (
    "step", "paso", "schritt", "étape", "etape", "etapa", "passo", "passaggio", "fase", "adım", "stap", "krok",
    "bước", "шаг", "этап", "الخطوة", "خطوة", "المرحلة", "चरण", "कदम", "ステップ", "手順", "步骤", "步驟", "단계",
)  # fmt: skip
"""Nouns that a number follows, with or without a sign behind it."""
LABELS = (
    "thought", "reason", "point", "argument", "consideration", "observation", "fact", "premise", "part", "claim",
    "clue", "finding", "inference", "principle", "item", "evidence", "hypothesis", "task", "section", "punto",
    "razón", "motivo", "argumento", "parte", "observación", "raison", "partie", "punkt", "grund", "teil",
    "argomento", "ragione", "osservazione", "ponto", "razão", "пункт", "причина", "аргумент", "часть", "要点",
    "理由", "依据", "根拠", "ポイント", "이유", "근거", "السبب", "النقطة", "बिंदु", "कारण",
)  # fmt: skip
"""Nouns that a number and a sign follow ("Fact 1:"); those that grade a disease (stage, type, class) are none."""
COUNT_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "uno", "dos", "tres", "cuatro",
    "cinco", "un", "deux", "trois", "quatre", "cinq", "eins", "zwei", "drei", "vier", "fünf",
)  # fmt: skip
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "next", "final", "last",
    "primera?", "primer", "segund[oa]", "tercera?", "tercer", "cuart[oa]", "quint[oa]", "últim[oa]", "premier",
    "première", "deuxième", "seconde?", "troisième", "quatrième", "cinquième", "dernier", "dernière", "erste[rs]?",
    "zweite[rs]?", "dritte[rs]?", "vierte[rs]?", "fünfte[rs]?", "letzte[rs]?", "prim[oa]", "second[oa]", "terz[oa]",
    "quart[oa]", "primeir[oa]", "terceir[oa]", "перв(?:ый|ая|ое)", "втор(?:ой|ая|ое)", "трет(?:ий|ья|ье)",
    "четв[её]рт(?:ый|ая|ое)", "пят(?:ый|ая|ое)", "последн(?:ий|яя|ее)", "पहला", "पहली", "दूसरा", "दूसरी", "तीसरा",
    "तीसरी", "चौथा", "पाँचवाँ", "अंतिम",
)  # fmt: skip
"""Adjectives before one of the nouns: patterns where their endings vary."""
ORDINALS_AFTER = (
    "الأولى", "الأول", "الثانية", "الثاني", "الثالثة", "الثالث", "الرابعة", "الرابع", "الخامسة", "الخامس",
    "السادسة", "السادس", "الأخيرة",
)  # fmt: skip
"""Adjectives behind the noun."""
ADVERBS = (
    "firstly", "first of all", "first", "secondly", "second", "thirdly", "third", "fourthly", "fourth", "fifthly",
    "fifth", "next", "finally", "lastly", "primero", "en primer lugar", "segundo", "tercero", "en segundo lugar",
    "en tercer lugar", "finalmente", "por último", "premièrement", "deuxièmement", "troisièmement", "quatrièmement",
    "d'abord", "tout d'abord", "en premier lieu", "en deuxième lieu", "ensuite", "enfin", "erstens", "zweitens",
    "drittens", "viertens", "zuerst", "zunächst", "anschließend", "schließlich", "primeiro", "em primeiro lugar",
    "em segundo lugar", "por fim", "primo", "in primo luogo", "secondo", "in secondo luogo", "infine", "во-первых",
    "во-вторых", "в-третьих", "в-четвёртых", "сначала", "затем", "наконец", "首先", "其次", "再次", "然后", "接着",
    "最后", "最後に", "まず", "次に", "続いて", "먼저", "다음으로", "마지막으로", "पहले", "सबसे पहले", "फिर",
    "अंत में",
)  # fmt: skip
"""Adverbs that a comma or a colon follows."""
CONCLUSIONS = (
    "therefore", "thus", "hence", "consequently", "so", "in conclusion", "in summary", "overall", "conclusion",
    "to conclude", "given all this", "taken together", "por lo tanto", "por tanto", "en conclusión", "en resumen",
    "donc", "ainsi", "par conséquent", "en conclusion", "daher", "somit", "folglich", "deshalb", "insgesamt",
    "quindi", "pertanto", "dunque", "in conclusione", "portanto", "logo", "assim", "em conclusão", "следовательно",
    "таким образом", "итак", "поэтому", "因此", "所以", "综上", "总之", "したがって", "よって", "以上より",
    "따라서", "그러므로", "결론적으로", "لذلك", "وبالتالي", "إذن", "इसलिए", "अतः", "निष्कर्ष",
)  # fmt: skip
"""Beginnings of a line that concludes what a list has said."""
OPTIONS = ("option", "choice", "opci[oó]n", "op[cç][aã]o", "opzione", "選択肢", "选项", "選項")
UNITS = ("mg", "mcg", "µg", "μg", "g", "kg", "ml", "l", "mmol", "meq", "units?", "iu", "%")
"""Units of a dose, which tell the two halves of a decimal from an enumerator."""
LETTERS = (
    "abcdefghijklmnop", "ABCDEFGHIJKLMNOP", "абвгдежз", "АБВГДЕЖЗ", "가나다라마바사아", "कखगघ",
    "一二三四五六七八九",
)  # fmt: skip
"""Letters that count, each row in its order."""
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def one_of(words: tuple[str, ...]) -> str:
    """Return the pattern of any of `words`, the longer before those that they begin with."""
    return "|".join(sorted(words, key=len, reverse=True))
