from .adaptive import heard_in_full, hearing_order, next_judges, unheard_votes
from .bench import Bench, endpoints_of
from .calibrator import Calibrator, Certified, feature_names, features, load_calibrator, seats_of
from .cases import CaseTooLarge, build_case, context_failure
from .contracts import Ask, Chats, Judge, Relevance, judges
from .derivations import recompute
from .entailment import Entailed, Entailment, entailment
from .evidence_records import Claim, ClaimSet, Relation
from .hearing import hear
from .loading import PanelError, load_panel, panel_names, prompt_hashes
from .panel import JudgeSpec, Panel, RelevanceSpec, ResolverSpec, RetrievalSpec
from .policy import Dispute, decide, grounded_error, settle, settled_early
from .records import (
    Case,
    Citation,
    ContextStep,
    Deliberation,
    Derivation,
    Draft,
    Label,
    Opinion,
    Outcome,
    Quote,
    Reason,
    Resolution,
    Retrieved,
    Route,
    Seat,
    Verdict,
)
from .resolver import Enquiry, Seek, resolve_round
from .verifier import Verifier, VerifierScorer

__all__ = [
    "Ask",
    "Bench",
    "Calibrator",
    "Case",
    "CaseTooLarge",
    "Certified",
    "Chats",
    "Citation",
    "Claim",
    "ClaimSet",
    "ContextStep",
    "Deliberation",
    "Derivation",
    "Dispute",
    "Draft",
    "Enquiry",
    "Entailed",
    "Entailment",
    "Judge",
    "JudgeSpec",
    "Label",
    "Opinion",
    "Outcome",
    "Panel",
    "PanelError",
    "Quote",
    "Reason",
    "Relation",
    "Relevance",
    "RelevanceSpec",
    "Resolution",
    "ResolverSpec",
    "RetrievalSpec",
    "Retrieved",
    "Route",
    "Seat",
    "Seek",
    "Verdict",
    "Verifier",
    "VerifierScorer",
    "build_case",
    "context_failure",
    "decide",
    "endpoints_of",
    "entailment",
    "feature_names",
    "features",
    "grounded_error",
    "hear",
    "heard_in_full",
    "hearing_order",
    "judges",
    "load_calibrator",
    "load_panel",
    "next_judges",
    "panel_names",
    "prompt_hashes",
    "recompute",
    "resolve_round",
    "seats_of",
    "settle",
    "settled_early",
    "unheard_votes",
]
