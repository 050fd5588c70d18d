"""How replies in Spanish, French, German, Portuguese, Italian and Russian decide, beside "the answer is B".

Each language has its words for the same few phrases: a verb of choice ("me quedo con la C"), what remains ("resta
apenas a B"), a letter that is called right ("B ist die richtige Antwort"), what is right ("richtig ist C"), and a
letter that is set against another ("non la A, bensì la C"). The letter is group 1 of every pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class _Words(NamedTuple):
    """Alternatives of a regular expression, without brackets around them."""

    signs: str
    """One of these words stands in any longer text of the language."""
    nouns: str
    """The answer, the option, the letter."""
    right: str
    """Right, better, most likely; with endings."""
    is_: str
    choose: str
    """I choose, I would choose: what the letter follows."""
    remains: str
    no: str
    """What denies a letter."""
    but: str
    """What sets another one against it."""
    alone: str
    """Only, before the letter."""
    articles: str
    only: str
    """Words between, such as only, therefore, more."""


_WORDS = (
    _Words(
        signs=r"la|el|los|las|es|que|por|con",
        nouns=r"respuesta|opci[oó]n|alternativa|soluci[oó]n|letra|inciso|elecci[oó]n|diagn[oó]stico",
        right=r"correct[ao]|adecuad[ao]|apropiad[ao]|acertad[ao]|mejor|probable|indicad[ao]|verdader[ao]|definitiv[ao]|v[aá]lid[ao]|[uú]nic[ao]|preferible|de\s+elecci[oó]n",
        is_=r"es|ser[ií]a|ser[aá]|parece|resulta|corresponde\s+a",
        choose=r"elijo|elegir[ií]a|escojo|escoger[ií]a|selecciono|seleccionar[ií]a|opto\s+por|optar[ií]a\s+por|marco|marcar[ií]a"
        r"|me\s+(?:quedo|quedar[ií]a)\s+con|me\s+inclin(?:o|ar[ií]a)\s+por|me\s+decant(?:o|ar[ií]a)\s+por|(?:se\s+)?prefier[oe]|voto\s+por|dir[ií]a(?:\s+que)?|se\s+trata\s+de",
        remains=r"queda|quedar[ií]a|resta",
        no=r"\bno\s+(?:es|ser[ií]a)|\bno|\bni",
        but=r"sino(?:\s+que)?|pero\s+s[ií]",
        alone=r"s[oó]lo|solamente|[uú]nicamente",
        articles=r"la|el|lo",
        only=r"s[oó]lo|solamente|[uú]nicamente|nos|me|por\s+tanto|entonces|pues|claramente|m[aá]s|como|finalmente|al\s+final",
    ),
    _Words(
        signs=r"la|le|les|est|que|pour|donc",
        nouns=r"r[ée]ponse|option|proposition|assertion|affirmation|lettre|choix|solution|diagnostic",
        right=r"correcte?|bonne?|juste|exacte?|meilleure?|appropri[ée]e?|adapt[ée]e?|probable|vraie?|pr[ée]f[ée]rable|privil[ée]gier|pr[ée]f[ée]rer|retenir|valable|seule?",
        is_=r"est|serait|sera|semble|para[iî]t|reste|correspond\s+[àa]",
        choose=r"choisi(?:s|rais)|retien(?:s|drais)|s[ée]lectionne(?:rais)?|opt(?:e|erais)\s+pour|pench(?:e|erais)\s+(?:donc\s+)?pour"
        r"|coche(?:rais)?|r[ée]pond(?:s|rais)|pr[ée]f[èe]re(?:rais)?|vote\s+pour|m'oriente\s+vers|dirais|s'agit\s+(?:donc\s+)?de|c'est",
        remains=r"reste(?:\s+(?:donc\s+)?(?:que|plus\s+que|seulement))?",
        no=r"n'est\s+pas|\bpas|\bnon|\bni",
        but=r"mais(?:\s+bien)?",
        alone=r"seule?|seulement|uniquement",
        articles=r"la|le|l'",
        only=r"donc|alors|ainsi|seulement|uniquement|la\s+plus|le\s+plus|plus|clairement|à|finalement|plut[ôo]t",
    ),
    _Words(
        signs=r"ist|der|die|das|und|nicht|ich",
        nouns=r"antwort(?:m[öo]glichkeit|option)?|option|l[öo]sung|aussage|buchstabe|wahl|m[öo]glichkeit|diagnose",
        right=r"richtig(?:e|er|es|en)?|korrekt(?:e|er|en)?|bess?(?:er(?:e|en)?|te|ten)|zutreffend(?:e|en)?|passend(?:e|er|ste)?|geeignet(?:e|ste)?"
        r"|wahrscheinlich(?:er|ste|sten)|plausibler|zu|sinnvolle?|einzige?",
        is_=r"ist|lautet|w[äa]re|stimmt|passt|trifft|bleibt|scheint",
        choose=r"w[äa]hle(?:\s+ich)?|entscheide\s+(?:ich\s+)?mich(?:\s+\w+)?\s+f[üu]r|nehme(?:\s+ich)?|tippe(?:\s+ich)?\s+auf|f[äa]llt\s+auf"
        r"|pl[äa]diere\s+f[üu]r|w[üu]rde(?:\s+ich)?(?:\s+sagen)?|bevorzuge|handelt\s+(?:es\s+)?sich(?:\s+\w+)?\s+um|dass\s+es",
        remains=r"bleibt",
        no=r"\bnicht|\bkein|\bnoch",
        but=r"sondern",
        alone=r"nur|einzig|allein",
        articles=r"der|die|das|den",
        only=r"nur|noch|also|somit|daher|demnach|jedoch|hier|eindeutig|am|doch|dann|klar|schlie(?:ß|ss)lich|letztlich",
    ),
    _Words(
        signs=r"que|da|do|os|as|uma?|com|para|não",
        nouns=r"resposta|op[cç][aã]o|alternativa|letra|gabarito|solu[cç][aã]o|item|assertiva|escolha|diagn[oó]stico",
        right=r"corret[ao]|cert[ao]|adequad[ao]|apropriad[ao]|melhor|prov[aá]vel|exat[ao]|verdadeir[ao]|indicad[ao]|[uú]nic[ao]|v[aá]lid[ao]|prefer[ií]vel",
        is_=r"é|seria|ser[aá]|parece|corresponde\s+[àa]",
        choose=r"escolh(?:o|eria)|selecion(?:o|aria)|opt(?:o|aria)\s+p(?:or|el[ao])|marc(?:o|aria)|assinal(?:o|aria)|fic(?:o|aria)\s+com"
        r"|prefir[oa]|prefere-se|vot(?:o|aria)|inclino-me\s+(?:para|pel)|diria(?:\s+que)?(?:\s+é)?|trata-se\s+d[aeo]",
        remains=r"resta|sobra|fica",
        no=r"n[ãa]o\s+[ée]|\bn[ãa]o|\bnem",
        but=r"e\s+sim|mas(?:\s+sim)?|sen[ãa]o",
        alone=r"somente|apenas|s[oó]",
        articles=r"a|o",
        only=r"apenas|somente|s[oó]|portanto|ent[ãa]o|assim|mais|claramente|como|finalmente|afinal",
    ),
    _Words(
        signs=r"la|il|che|di|per|con|non|una?",
        nouns=r"risposta|opzione|alternativa|soluzione|lettera|affermazione|scelta|diagnosi",
        right=r"corrett[ao]|giust[ao]|esatt[ao]|miglior[ei]?|adeguat[ao]|appropriat[ao]|probabile|adatt[ao]|indicat[ao]|ver[ao]|unic[ao]|valid[ao]|preferibile|da\s+preferire",
        is_=r"[èe]'?|sarebbe|sar[àa]|sembra|risulta|corrisponde\s+a(?:lla)?",
        choose=r"scelgo|sceglierei|seleziono|selezionerei|opto\s+per|opterei\s+per|propend(?:o|erei)\s+per|(?:si\s+)?preferi(?:sco|sce)|preferirei"
        r"|rispond(?:o|erei)|indico|voto\s+per|segno|direi|si\s+tratta\s+del(?:la|l')?",
        remains=r"resta|rimane",
        no=r"\bnon\s+[èe]|\bnon|\bn[ée]",
        but=r"bens[ìi]|ma(?:\s+piuttosto)?",
        alone=r"solo|soltanto|solamente|unicamente",
        articles=r"la|il|lo|l'",
        only=r"solo|soltanto|solamente|quindi|dunque|allora|pertanto|più|chiaramente|come|infine|alla\s+fine",
    ),
    _Words(
        signs="[\u0430-\u044f]+",
        nouns=r"ответ(?:ом|а)?|вариант(?:ом|а|у)?|букв\w+|решени[ея]|диагноз",
        right=r"правильн\w+|верн\w+|верно|правильно|подходящ\w+|корректн\w+|лучш\w+|вероятн\w+|подходит",
        is_=r"—|–|-|:|это|является|будет|есть|кажется",
        choose=r"выбираю|выберу|выбрал[аи]?(?:\s+бы)?|выбрать|верно|правильно|склоняюсь\s+к|останавливаюсь\s+на|остановлюсь\s+на|предпочитаю|выбор|под",
        remains=r"оста[её]тся|остался|остаётся",
        no=r"\bне|\bни",
        but=r"а(?:\s+именно)?|но",
        alone=r"только|лишь",
        articles=r"это",
        only=r"только|лишь|один|бы|наиболее|самый|самым|всё\s+же|все\s+же",
    ),
)
_SEVERAL = (
    r"(?!\s*[)\]]?\s*(?:,|/|o|u|ou|oder|или|y|e|et|und|и)\s*(?:(?:la|el|le|die|der|a|o|il)\s+)?\(?(?-i:[A-Z])(?![\w']))"
)
_KEY = rf"[*_\"'`(\[«„“$]{{0,3}}((?-i:[A-Z])|[a-z](?=\))|\d{{1,2}}(?=\W*(?:\n|\Z)))(?![\w']){_SEVERAL}()"
_NEGATION = r"\b(?:no|non|n|ne|nicht|n[ãa]o|не|kein\w*|pas|nie|neither)\b"
_LETTER = r"\(?(?-i:[A-Z])\)?"


def _patterns(words: _Words) -> tuple[re.Pattern[str], ...]:
    article = rf"(?:(?:{words.articles})\s*)?"
    between = rf"(?:(?:{words.only})\b[,\s]*){{0,3}}"
    noun = rf"(?:{article}(?:{words.nouns})\b\s*)?"
    option = rf"{between}{noun}{article}"
    right = rf"(?:{words.right})"
    is_ = rf"(?:{words.is_})"
    so = rf"{article}{between}{article}"
    phrases = (
        rf"(?:{words.no})\s+{option}{_LETTER}[\s,;]*\b(?:{words.but})\s+(?:{is_}\s+)?{option}{_KEY}",
        rf"\b(?:{words.choose})\b[\s:—–-]*{option}{_KEY}",
        rf"\b(?:ne\s+)?(?:{words.remains})\b[\s,:]*{option}{_KEY}",
        rf"\b{right}\s+(?:(?:{words.nouns})\s+)?{is_}[\s*_:]*{so}{noun}{article}{_KEY}",
        rf"\b(?:{words.nouns})\s+{so}{right}[\s,]*{is_}[\s*_:]*{so}{noun}{article}{_KEY}",
        rf"(?<![\w'.]){_KEY}[)\]*_]*\s+{is_}\s+{so}{noun}{so}{right}(?!\w)",
        rf"\b(?:{words.nouns})\s+{_KEY}[)\]*_]*\s+(?:qui\s+{is_}\s+|que\s+{is_}\s+)?{so}{right}(?!\w)",
        rf"\b(?:{words.alone})\s+{noun}{article}{_KEY}[)\]*_]*(?=\s+\w{{3}}|\s+[èeé]\s|\W*(?:\n|\Z))",
        # "La réponse à la question est D."
        rf"\b(?:{words.nouns})\s+(?:(?!{_NEGATION})[^.,;\n]){{1,40}}?\b{is_}[\s*_:]+{so}{noun}{article}{_KEY}",
        # "D ist wegen der Niereninsuffizienz vorzuziehen."
        rf"(?<![\w'.]){_KEY}[)\]*_]*\s+{is_}\s+(?:(?!{_NEGATION})[^.,;\n]){{0,60}}?\b(?:vorzuziehen|zu\s+bevorzugen|zu\s+w[äa]hlen)\b",
        # "Estuve a punto de elegir la A, pero es la C."
        rf"\b(?:es|est|ist|é|è)\s+{option}{_KEY}[)\]*_.!\s]*\Z",
        # "Daher ist B die richtige Antwort."
        rf"\b{is_}\s+{option}{_KEY}[)\]*_]*\s+{so}{right}\s+(?:{words.nouns})",
        rf"(?:\A|\n|[.!?]\s)\W*(?:{words.nouns}|{words.right})\s*:?[\s*_]*{_KEY}\W*(?:\n|\Z)",
    )
    return tuple(re.compile(phrase, re.IGNORECASE) for phrase in phrases)


_LANGUAGES = tuple((re.compile(rf"\b(?:{words.signs})\b", re.IGNORECASE), _patterns(words)) for words in _WORDS)
_DENIED = re.compile(
    r"(?:\bno|\bne|\bn'|\bnon|\bn[ãa]o|\bnicht|\bне)(?:\s+(?:me|lo|la|je|ich|бы))?\s*\Z", re.IGNORECASE
)
_WINDOW = 20
_SHORT = 300
"""Characters up to which a reply may have none of its language's small words."""


def decisions(text: str) -> Iterator[re.Match[str]]:
    """Yield what decides in these languages, phrase by phrase, the last match of each first."""
    for sign, patterns in _LANGUAGES:
        if len(text) < _SHORT or sign.search(text):
            for pattern in patterns:
                for match in reversed(list(pattern.finditer(text))):
                    if _DENIED.search(text, max(0, match.start() - _WINDOW), match.start()) is None:
                        yield match


_REFUSED = re.compile(
    r"[)\]*_\"'」\s]*(?:(?:is|ist|es|est|è|é|was)\s+)?(?:option\s+)?"
    r"(?:nicht(?!\s+(?:option\s+)?\(?(?-i:[A-Z])\b)|(?:clearly\s+)?(?:wrong|incorrect|falsch|inkorrekt|incorrect[ao]e?|fals[ao]|fausse|faux"
    r"|errad[ao]|sbagliat[ao]|errat[ao])(?![\w-])|неверен|неверн|неправил|не\s+подход|не\s+явля"
    r"|(?:は|가|이|은|는|는것은)?\s*(?:ではな|でな|じゃな|では|誤り|間違|を?選ば|아니|아닙|아닌|틀)|नहीं|गलत|ग़लत|خاطئ|خطأ|غير|ليس"
    r"|(?:是|为|項|项|选项)?(?:错|錯|不正|不对|不對|不符|不合))",
    re.IGNORECASE,
)


def is_refused(text: str, end: int) -> bool:
    """Whether what follows the letter that ends at `end` calls it wrong, in any of the languages."""
    return _REFUSED.match(text, end) is not None
