"""Finite verbs, by the forms of auxiliaries and of the verbs that clinical reasoning uses; no tagger, no model."""

from __future__ import annotations

import re

from tracejury.agents.claims.vocabulary import word_list


def _third(lemma: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh|o)$", lemma):
        return lemma + "es"
    return lemma[:-1] + "ies" if re.search(r"[^aeiou]y$", lemma) else lemma + "s"


def _past(lemma: str) -> str:
    if lemma.endswith("e"):
        return lemma + "d"
    return lemma[:-1] + "ied" if re.search(r"[^aeiou]y$", lemma) else lemma + "ed"


_AUXILIARIES = word_list("auxiliaries")
_LEMMAS = word_list("verbs")
_THIRD = frozenset(map(_third, _LEMMAS))
_PAST = frozenset(map(_past, _LEMMAS)) | word_list("irregular")
_BEFORE_NOUN = word_list("before_noun")
_PLURAL_SUBJECTS = word_list("plural_subjects")
_PRONOUNS = word_list("pronouns")
_AFTER_NOUN = frozenset({"of", "and", "or", "in", "for", "with", "to", "from", "on", "by", "at", "as"})
_OPEN_ENDS = frozenset({"by", "with", "as", "of", "for", "to", "including"})
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019]t)?|['\u2019](?:s|re|ve|ll|m|d)\b")
_CONTRACTED = frozenset({"'re", "'ve", "'ll", "'m", "'d"})
_BEFORE_CONTRACTED = frozenset({"it", "he", "she", "that", "this", "there", "what", "who"})


def finite_verbs(text: str) -> list[tuple[int, int]]:
    """Return the characters of what is taken for a finite verb, in order."""
    words = list(_WORD.finditer(text))
    return [
        word.span()
        for i, word in enumerate(words)
        if _is_finite(
            word[0].lower().replace("\u2019", "'"),
            _before(text, words, i),
            words[i + 1][0].lower() if i + 1 < len(words) else "",
        )
    ]


def _before(text: str, words: list[re.Match[str]], i: int) -> str:
    """Return the word before, or the figure: a preposition governs that, and not the verb after `a pH of 7.1`."""
    if i == 0:
        return ""
    figure = re.search(r"\d\S*\s*$", text[words[i - 1].end() : words[i].start()])
    return figure[0].strip() if figure else words[i - 1][0].lower()


def states(text: str) -> bool:
    """Tell whether a text has a finite verb."""
    return bool(finite_verbs(text))


def may_state(text: str) -> bool:
    """Tell whether a word in -s inside a line could be a verb that the list lacks: `aspirin trumps paracetamol`."""
    words = [m[0].lower() for m in _WORD.finditer(text)]
    return any(
        re.search(r"[^aious]s$", word) and before not in _BEFORE_NOUN and after not in _AFTER_NOUN
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )


def ends_open(text: str) -> bool:
    """Tell whether the last of several words is a verb or a preposition, so that the sentence goes on."""
    words = [m[0].lower() for m in _WORD.finditer(text)]
    return len(words) > 1 and (words[-1] in _AUXILIARIES | _LEMMAS | _THIRD or words[-1] in _OPEN_ENDS)


def begins_with_verb(text: str) -> bool:
    """Tell whether a text begins with an auxiliary or a verb in -s, as a second predicate of one subject does."""
    first = _WORD.match(text)
    return bool(first) and (first[0].lower() in _AUXILIARIES or first[0].lower() in _THIRD)  # type: ignore[index]


def _is_finite(word: str, before: str, after: str) -> bool:
    if word in _AUXILIARIES or word in _CONTRACTED or (word == "'s" and before in _BEFORE_CONTRACTED):
        return True
    if word in _THIRD:
        return before not in _BEFORE_NOUN and after != "of" and bool(before)
    if word in _PAST:
        return before in _PRONOUNS
    plural = before in _PLURAL_SUBJECTS or (before.endswith("s") and not before.endswith(("ss", "us", "is")))
    return word in _LEMMAS and plural and after != "of" and before not in _THIRD
