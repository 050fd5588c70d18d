"""The weight files on this machine that a panel uses, by hash."""

from __future__ import annotations

from tracejury.agents.entailment import WEIGHTS
from tracejury.agents.judge_panel import endpoints_of
from tracejury.agents.panel import Panel
from tracejury.models import is_fetched, weights_digest
from tracejury.storage import cached_file_digest


def weights_of(panel: Panel) -> dict[str, str]:
    """Return name -> SHA-256 of the panel's embedded models, embedder and verifier, for a run's manifest.

    Models that are not fetched are left out: a run that only reads cached replies needs none. The checker's weights
    stand in its identity.

    Raises:
        WeightsError: A file is not the one that was pinned.
    """
    models = [endpoint.model for endpoint in endpoints_of(panel) if endpoint.kind == "embedded"]
    if panel.retrieval.sources and panel.retrieval.embedder == "minilm":
        models.append("minilm")
    digests = {name: weights_digest(name) for name in models if is_fetched(name)}
    scorers = {spec.judge for spec in panel.judges} | {panel.relevance.scorer}
    if "verifier" in scorers:
        digests[WEIGHTS.name] = cached_file_digest(WEIGHTS)
    return digests
