from .asking_order import asks_every_judge, judge_order, next_judges, unasked_votes
from .calibrator import Calibrator, Certified, feature_names, features, load_calibrator, seats_of
from .cases import CaseTooLarge, build_case, context_failure
from .claims.cutting import cut_by_rule
from .claims.extraction import claims_of
from .contracts import Ask, Chats, Judge, Relevance, judges
from .derivations import recompute
from .entailment import Entailed, Entailment, entailment
from .evidence_records import Claim, ClaimSet, Relation
from .judge_panel import BoundAsk, JudgePanel, endpoints_of
from .loading import PanelError, load_panel, panel_names, prompt_hashes
from .opinion import hear
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
    "BoundAsk",
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
    "JudgePanel",
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
    "asks_every_judge",
    "build_case",
    "claims_of",
    "context_failure",
    "cut_by_rule",
    "decide",
    "endpoints_of",
    "entailment",
    "feature_names",
    "features",
    "grounded_error",
    "hear",
    "judge_order",
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
    "unasked_votes",
]
