"""What a change of references did: steps whose outcome or grade differs between two runs, and the passage behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracejury.agents import Deliberation
from tracejury.traces import Record


class ChangedStep(Record):
    """A step that two runs judge differently."""

    step_id: str
    text: str
    before: str
    """Outcome and grade, as `abstained` or `supported (full)`."""
    after: str
    passages: tuple[str, ...] = ()
    """Citations of the counting passages that only one of the runs had, with their source."""
    quoted: tuple[str, ...] = ()
    """The same of passages that a judge quotes and whose quote does not count."""


class SourceEffect(Record):
    """What changed between two runs."""

    steps: int
    """Steps that both runs judged."""
    same_evidence: int
    """Of these, steps with the same passages in both; they are answered from the response cache."""
    changed: tuple[ChangedStep, ...] = ()


def source_effect(before: Iterable[Deliberation], after: Iterable[Deliberation]) -> SourceEffect:
    """Compare two runs over the same traces, step by step.

    Args:
        before: The deliberations of the run without the new source.
        after: Those of the run with it.
    """
    earlier = {d.step.id: d for d in before}
    pairs = [(earlier[d.step.id], d) for d in after if d.step.id in earlier]
    changed = [
        ChangedStep(
            step_id=new.step.id,
            text=" ".join(new.step.text.split()),
            before=_outcome(old),
            after=_outcome(new),
            passages=(counting := _of_one_run(new, old, counts=True)),
            quoted=tuple(name for name in _of_one_run(new, old, counts=False) if name not in counting),
        )
        for old, new in pairs
        if _outcome(old) != _outcome(new)
    ]
    same = sum(_passage_ids(old) == _passage_ids(new) for old, new in pairs)
    return SourceEffect(steps=len(pairs), same_evidence=same, changed=tuple(changed))


def _outcome(deliberation: Deliberation) -> str:
    verdict = deliberation.verdict
    return f"{verdict.outcome.value} ({verdict.grade.value})" if verdict.grade else verdict.outcome.value


def _passage_ids(deliberation: Deliberation) -> frozenset[str]:
    return frozenset(p.id for p in deliberation.case.passages) if deliberation.case else frozenset()


def _of_one_run(new: Deliberation, old: Deliberation, *, counts: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_only_in(new, old, counts), *_only_in(old, new, counts))))


def _only_in(deliberation: Deliberation, other: Deliberation, counts: bool) -> Iterator[str]:
    """Yield the passages that judges quote and the other run did not have, by whether the citation counts."""
    citations = [c for opinion in deliberation.opinions for c in opinion.citations]
    citations += deliberation.resolution.citations if deliberation.resolution else ()
    known_ids = _passage_ids(other) | {p.id for p in other.further_passages}
    for citation in citations:
        if (
            citation.verified
            and citation.counts is counts
            and citation.source
            and citation.evidence_id not in known_ids
        ):
            yield f"{citation.citation} [{citation.source}]"
