"""The trust that a run's sources have in the index now, and a deliberation under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from tracejury.agents import Deliberation, Opinion
from tracejury.ledger import Run
from tracejury.retrieval import Hit, Index, Passage, Trust
from tracejury.traces import Record


class TrustNow(Record):
    """What the sources of a run may do in a verdict, by the index as it is."""

    of: dict[str, Trust] = Field(default_factory=dict)
    """Source -> its trust now."""
    changed: dict[str, tuple[Trust, Trust]] = Field(default_factory=dict)
    """Source -> the trust in the run, and now; those that differ."""
    unknown: dict[str, str] = Field(default_factory=dict)
    """Source -> why the index does not say: its passages keep the trust that they had in the run."""

    def digests(self, stored: Mapping[str, str]) -> dict[str, str]:
        """Return a manifest's hashes of sources with the trust that they have now."""
        return {
            name: trust_marked(_digest(marked), self.of[name]) if name in self.of else marked
            for name, marked in stored.items()
        }


def trust_marked(digest: str, trust: Trust) -> str:
    """Return the hash of a source as a run's manifest has it, which says whether the source is only listed."""
    return digest if trust is Trust.FULL else f"{digest} {trust}"


def _digest(marked: str) -> str:
    return marked.partition(" ")[0]


def trust_now(run: Run, index: Path | None) -> TrustNow:
    """Look up what the index says of a run's sources.

    A source that is listed now is listed for all its passages. One that is vouched for now is so for the passages that
    the index holds: if the run had others, nobody has vouched for those.

    Args:
        run: The run whose passages are read again.
        index: The index. None: `TRACEJURY_INDEX`, else `./tracejury.index`.
    """
    entries = Index.open(index).manifest().sources if run.manifest.index else {}
    of, changed, unknown = {}, {}, {}
    for name, marked in run.manifest.index.items():
        digest, entry = _digest(marked), entries.get(name)
        then = Trust.FULL if marked == digest else Trust.LISTED
        if entry is None:
            unknown[name] = "is not in the index"
        elif entry.trust is Trust.FULL and entry.digest != digest:
            unknown[name] = "has other passages in the index than in the run"
        else:
            of[name] = entry.trust
            if entry.trust is not then:
                changed[name] = (then, entry.trust)
    return TrustNow(of=of, changed=changed, unknown=unknown)


def under_trust(deliberation: Deliberation, trust: Mapping[str, Trust]) -> Deliberation:
    """Return a deliberation whose passages, found by retrieval, judges or the resolver, have the trust of their source.

    Args:
        deliberation: As it is in the ledger.
        trust: Source -> its trust. Passages of other sources keep theirs.
    """
    if not trust or deliberation.case is None:
        return deliberation

    def passage(of_run: Passage) -> Passage:
        return of_run.model_copy(update={"trust": trust.get(of_run.source, of_run.trust)})

    def hits(of_run: Sequence[Hit]) -> tuple[Hit, ...]:
        return tuple(hit.model_copy(update={"passage": passage(hit.passage)}) for hit in of_run)

    def opinion(of_run: Opinion) -> Opinion:
        searches = tuple(s.model_copy(update={"hits": hits(s.hits)}) for s in of_run.searches)
        return of_run.model_copy(update={"searches": searches})

    case, resolution = deliberation.case, deliberation.resolution
    return deliberation.model_copy(
        update={
            "case": case.model_copy(update={"passages": tuple(map(passage, case.passages))}),
            "opinions": tuple(map(opinion, deliberation.opinions)),
            "resolution": resolution and resolution.model_copy(update={"hits": hits(resolution.hits)}),
        }
    )
