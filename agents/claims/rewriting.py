"""Whether a rewritten claim still says what its characters say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tracejury.agents.claims.words import content_words, qualifiers, stems

_POINTS_BACK = re.compile(r"\b(?:this|these|those|such|latter|former)\W+$", re.I)


def change_of_meaning(characters: str, text: str, read_before: Iterable[str]) -> str | None:
    """Say what a rewritten claim changes.

    Allowed are the characters with words of content in their order, further words of what was read before them, and
    `this drug` or `it` replaced by what it points to.

    Args:
        characters: The step's characters that the claim stands for.
        text: The claim as rewritten.
        read_before: Texts whose words may be added: vignette, earlier steps, the step before the characters.

    Returns:
        None where nothing changes; else the reason why the characters themselves have to be the claim.
    """
    before, after = qualifiers(characters), qualifiers(text)
    for name, theirs, ours in zip(before._fields, before, after, strict=True):
        if theirs != ours:
            changed = (theirs - ours) or (ours - theirs)
            return f"{name} differ: {', '.join(sorted(changed))}"
    own = stems(characters)
    foreign = set(stems(text)) - set(own) - {stem for source in read_before for stem in stems(source)}
    if foreign:
        return f"words that stand nowhere before: {', '.join(sorted(foreign))}"
    rewritten = set(stems(text))
    if missing := [word for word in _fixed(characters) if word not in rewritten]:
        return f"words left out: {', '.join(missing)}"
    shared_stems = [stem for stem in own if stem in rewritten]
    if not _in_order(shared_stems, stems(text)):
        return "the order of the words differs"
    return None


def _fixed(characters: str) -> Iterator[str]:
    """Yield the words that must stay: all but those that point to something said before."""
    for word in content_words(characters):
        if not _POINTS_BACK.search(characters[: word.start]):
            yield word.stem


def _in_order(shared_stems: list[str], text: list[str]) -> bool:
    rest = iter(text)
    return all(stem in rest for stem in shared_stems)
