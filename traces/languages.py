"""The language of a text, by its script and its small words: enough to say where what is made for English is no use."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

ENGLISH = "English"
OTHER = "another language"
"""A longer text in Latin letters that has neither the small words of English nor those of a language known here."""

_CHARS = 600
"""Characters that are looked at."""
_LEAST_HALF_WORDS = 3
_OTHER_WORDS = 30
"""Different words without any small word that is known here from which on a text is not English."""
_SHARE = 0.3
"""Share of another script from which on a text is in it: an English sentence may quote a word."""
_KANA_SHARE = 0.05
_ENGLISH_SHARE = 0.04
_SURELY_ENGLISH_SHARE = 0.2
_DISTINCT_WORDS = 2
_OTHER_SHARE = 0.12
"""Share of words from which on those of another language are no accident: real texts have twice as many and more."""
_CLEARLY = 1.5
"""How many times the small words of English another language must have."""
_LATIN = "LATIN"
_KINDS = (" LETTER ", " SYLLABLE ", " CHARACTER ", " IDEOGRAPH-")
"""What names of letters contain; signs such as the micro sign or mathematical letters are of no script."""
_LATIN_LETTERS = "a-z\u00df-\u024f\u1e00-\u1eff"
# Latin letters beside digits are a code; other scripts need no blank there, and have marks that are no letters.
_WORD = re.compile(
    rf"(?<!\w)[{_LATIN_LETTERS}]+(?!\w)|(?:(?![{_LATIN_LETTERS}])[^\W\d_]"
    r"|[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u109f\u1780-\u17ff])+"
)
_ASCII_WORD = re.compile(r"\b[a-z]+\b")
_NAMES = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "KATAKANA-HIRAGANA": "Japanese",
    "HANGUL": "Korean", "DEVANAGARI": "Hindi", "CYRILLIC": "Russian", "GURMUKHI": "Punjabi", "ETHIOPIC": "Amharic",
    "MYANMAR": "Burmese",
}  # fmt: skip
_KANA = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")
_WITHOUT_BLANKS = frozenset({"CJK", *_KANA, "THAI", "LAO", "KHMER", "MYANMAR"})
_WORDS = {
    ENGLISH: "the of and to in is with for that this as are was by on be or an at from it which has have not his her"
    " she he they their but these would should can most because so therefore there also if no we you who were been than"
    " due after do does did may come what any all non met me had into about when how only more other such patient",
    "Spanish": "el la los las un una de del que y en es con por para se su al lo como no más este esta son está pero"
    " debe paciente tiene",
    "Portuguese": "o a os as um uma de do da dos das que e em é com por para se seu sua ao não mais este esta são está"
    " mas no na paciente tem",
    "Italian": "il lo la i gli le un una di del della dei che e in è con per si sono non al alla come più questo questa"
    " ma nel paziente ha",
    "French": "le la les un une des de du et est en que qui dans pour par sur avec ce cette il elle ne pas au aux sont"
    " plus mais patient donc",
    "German": "der die das den dem des ein eine einer einen und ist in zu mit von auf für nicht sich auch als bei wird"
    " sind hat es oder nach aus patient",
    "Dutch": "de het een van en is in dat te met voor op niet zijn bij als ook door aan of er naar wordt heeft patiënt",
    "Swedish, Danish or Norwegian": "och og att at det den en ett et är er som på för for med av til till inte ikke har"
    " om de vid ved patienten pasienten",
    "Polish": "i w z na do nie się jest że to o po jak od za przez dla oraz lub ale ma są pacjent",
    "Romanian": "și în de la cu pe este un o nu se din care pentru sunt mai prin al sau pacientul are",
    "Turkish": "ve bir bu ile için da de olan olarak en çok daha gibi ise veya değil hasta var olduğu",
    "Indonesian or Malay": "yang dan di dengan untuk pada ini itu adalah dari dalam tidak oleh atau sebagai karena akan"
    " pasien dapat ada ke",
    "Vietnamese": "và của là có không được trong cho các một này với bệnh nhân do khi để về theo người",
    "Swahili": "na ya wa kwa ni katika za la hii huyu kuwa au cha vya hivyo mgonjwa kama sana lakini ana yake hana ili"
    " wake kutoka ambayo pia",
    "Hausa": "da ta na ya a ne ce shi ita wannan kuma ba an don su ko zai mara lafiya daga cikin",
    "Yoruba": "ti ni si awọn ati àti tí ní sí ó pẹlu lati fun kan yi ko naa àwọn nítorí",
    "Tagalog": "ang ng sa na mga ay at ito may para hindi kung ni si pasyente dahil siya",
    "Persian": "و در به از که این است را با برای آن می شود یا بیمار دارد",
    "Urdu": "کے کی میں ہے اور کا سے کو نے یہ پر ہیں مریض کہ جو نہیں",
    "Ukrainian": "і в на що з не до та у як це є для від або пацієнт має який",  # noqa: RUF001
    "Marathi": "आहे आणि या हे च्या ते मध्ये नाही होते आहेत रुग्णाला",
    "Nepali": "छ र को मा छन् यो लाई हो गर्न भएको बिरामी",
}  # fmt: skip
_ENGLISH_WORDS = frozenset(_WORDS.pop(ENGLISH).split())
# Words that English has too tell nothing, nor do single letters.
_SMALL_WORDS = {
    language: frozenset(word for word in words.split() if len(word) > 1) - _ENGLISH_WORDS
    for language, words in _WORDS.items()
}
_LANGUAGES = {
    word: [language for language, words in _SMALL_WORDS.items() if word in words]
    for word in frozenset[str]().union(*_SMALL_WORDS.values())
}


def language_of(text: str) -> str | None:
    """Return the English name of the language that most of `text` is in; None: it is too short to tell.

    Only the beginning is looked at. The name may be that of a near relative: what matters is whether it is English.
    """
    beginning = text[:_CHARS].lower()
    if beginning.isascii():
        return _in_latin_letters(_ASCII_WORD.findall(beginning))
    words = _WORD.findall(beginning)
    half_words = _half_words(words)
    others = Counter({script: n for script, n in half_words.items() if script != _LATIN})
    if others.total() >= max(_LEAST_HALF_WORDS, _SHARE * half_words.total()):
        return _in_script(others, words)
    return _in_latin_letters(words)


def other_language(text: str, around: str = "", question: str = "") -> str | None:
    """Return the language of a text or of its question where it is not English; None: English, or too short to tell.

    Args:
        text: A step or a trace.
        around: What tells the language where `text` is too short: the earlier steps.
        question: The question that it is about; parts made for English read it, too.
    """
    language = language_of(text) or language_of(f"{around} {text}")
    if language in (None, ENGLISH):
        language = language_of(question)
    return None if language == ENGLISH else language


def _in_script(half_words: Counter[str], words: list[str]) -> str:
    (script, _), *_ = half_words.most_common(1)
    if script == "CJK" and sum(half_words[kana] for kana in _KANA) >= _KANA_SHARE * half_words.total():
        return "Japanese"
    language, hits = _most_small_words([word for word in words if _script(word[0]) == script])
    return language if hits >= _DISTINCT_WORDS else _NAMES.get(script, script.title())


def _in_latin_letters(words: list[str]) -> str | None:
    english = sum(word in _ENGLISH_WORDS for word in words)
    if english > _SURELY_ENGLISH_SHARE * len(words):
        return ENGLISH
    language, distinct = _most_small_words(words)
    if distinct >= _DISTINCT_WORDS:
        hits = sum(word in _SMALL_WORDS[language] for word in words)
        if hits > _CLEARLY * english and hits >= _OTHER_SHARE * len(words):
            return language
    if english > _ENGLISH_SHARE * len(words):
        return ENGLISH
    return OTHER if len({*words}) >= _OTHER_WORDS else None


def _most_small_words(words: list[str]) -> tuple[str, int]:
    """Return the language other than English with most different small words among `words`, and their number."""
    hits = Counter(language for word in {*words} for language in _LANGUAGES.get(word, ()))
    return max(hits.items(), key=lambda item: item[1], default=("", 0))


def _half_words(words: list[str]) -> Counter[str]:
    """Count half-words by script: two a word, and one a character where no blanks stand between words."""
    counts: Counter[str] = Counter()
    for word in words:
        script = _script(word[0])
        if script in _WITHOUT_BLANKS:
            counts.update(map(_script, word))
        else:
            # One Greek letter is a sign, not a word.
            counts[script if len(word) > 1 else _LATIN] += 2
    return counts


@lru_cache(maxsize=8192)
def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    is_other = any(kind in name for kind in _KINDS) and "LATIN" not in name
    return name.partition(" ")[0] if is_other else _LATIN
