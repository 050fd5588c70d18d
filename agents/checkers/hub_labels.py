"""Which output of a hub model is which relation, read from its config."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tracejury.agents.checkers.contracts import CheckerError
from tracejury.agents.evidence_records import Relation

_SPELLINGS = {
    Relation.SUPPORTS: (
        "entailment entail entails entailed support supports supported consistent factual faithful grounded "
        "factually_consistent true_claim verified attributable"
    ),
    Relation.CONTRADICTS: "contradiction contradict contradicts contradicted contradictory refute refutes refuted",
    Relation.SILENT: (
        "neutral silent nei not_enough not_enough_info not_enough_information no_info no_information "
        "not_entailment non_entailment not_entailed unsupported not_supported inconsistent not_consistent "
        "factually_inconsistent hallucination hallucinated unfaithful not_grounded ungrounded not_attributable"
    ),
}
_RELATION_OF = {spelling: relation for relation, words in _SPELLINGS.items() for spelling in words.split()}
_EXAMPLE = "labels: [supports, silent, contradicts]"


def read_labels(id2label: Mapping[int, str], labels: Sequence[str] | None) -> tuple[Relation, ...]:
    """Return the relation of each output of a model, in the order of its outputs.

    Of two outputs one is `supports`; the other is silence, whatever it is called: such a model does not tell
    contradiction from silence. A model with one output gives P(supports) as a logistic score.

    Args:
        id2label: The model's own names of its outputs.
        labels: What the outputs are, where the model's names do not say it: `supports`, `contradicts`, `silent`.

    Raises:
        CheckerError: The names do not say it, or `labels` does not fit the model.
    """
    names = [id2label[i] for i in sorted(id2label)]
    if labels is None:
        relations = [_RELATION_OF.get(re.sub(r"[^a-z]+", "_", name.lower()).strip("_")) for name in names]
        if None in relations or len(names) < 2:
            raise CheckerError(
                f"checker 'hub': the model calls its outputs {names}, which does not say what they are; "
                f"give them in this order in the params, for instance {_EXAMPLE}"
            )
        relations_read = [relation for relation in relations if relation is not None]
    else:
        try:
            relations_read = [Relation(label) for label in labels]
        except ValueError:
            raise CheckerError(f"checker 'hub': labels are {list(labels)}; write for instance {_EXAMPLE}") from None
        if len(relations_read) != len(names):
            raise CheckerError(
                f"checker 'hub': {len(relations_read)} labels for a model with {len(names)} outputs: {names}"
            )
    if len(relations_read) == 2 and Relation.SUPPORTS in relations_read:
        relations_read = [r if r is Relation.SUPPORTS else Relation.SILENT for r in relations_read]
    if (
        len(set(relations_read)) != len(relations_read)
        or Relation.SUPPORTS not in relations_read
        or len(relations_read) > 3
    ):
        raise CheckerError(
            f"checker 'hub': outputs {names} come to {[r.value for r in relations_read]}; each relation once"
        )
    return tuple(relations_read)
