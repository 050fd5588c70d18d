from .asking_order import asks_every_judge, judge_order, next_judges, unasked_votes
from .calibrator import Calibrator, Certified, feature_names, features, load_calibrator, seats_of
from .cases import CaseTooLarge, build_case, context_failure, fit_case, whole_case
from .checker_notices import checker_facts, checker_notices, refuse_audited_weights
from .citations import CheckedCitations, check_citations, check_opinions
from .claim_evidence import ClaimEvidence, contradicted_claims, evidence_of_claims, grade_of, pool_evidence
from .claims.cutting import cut_by_rule
from .claims.extraction import claims_of
from .combining import Cluster, Combination, load_combination
from .contracts import Ask, Chats, Judge, Relevance, judges
from .derivations import derivations_for, evidence_text, recompute
from .english_only import language_notice
from .entailment import Entailed, Entailment, entailment
from .evidence_records import Claim, ClaimSet, EvidenceGap, Grade, Relation
from .families import families, family, refuse_same_family
from .fingerprints import panel_fields
from .guarded_judge import plugin_notices
from .judge_panel import (
    BoundAsk,
    JudgePanel,
    checker_of,
    combination_of,
    endpoints_of,
    most_citations,
    replaceable_endpoints,
)
from .loading import PanelError, load_panel, panel_names, prompt_hashes
from .opinion import ask_judge, draft_citations
from .panel import JudgeSpec, Panel, RelevanceSpec, ResolverSpec, RetrievalSpec
from .panel_weights import weights_of
from .policy import Dispute, decide, settle, settled_early, unchecked
from .recorded.files import OpinionFile, Reading, files_of, judges_in, read_opinions
from .recorded.judge import RecordedJudge
from .recorded.keys import StepKey
from .recorded.rows import RecordedOpinion
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
    Policy,
    Quote,
    Reason,
    Resolution,
    Retrieved,
    Route,
    Search,
    Seat,
    Verdict,
)
from .replies import judge_reply
from .resolver import SearchHistory, SearchRequest, is_repeated, resolve_round
from .search_tool import LookUp, search_tool
from .verifier import Verifier, VerifierScorer

__all__ = [
    "Ask",
    "BoundAsk",
    "Calibrator",
    "Case",
    "CaseTooLarge",
    "Certified",
    "Chats",
    "CheckedCitations",
    "Citation",
    "Claim",
    "ClaimEvidence",
    "ClaimSet",
    "Cluster",
    "Combination",
    "ContextStep",
    "Deliberation",
    "Derivation",
    "Dispute",
    "Draft",
    "Entailed",
    "Entailment",
    "EvidenceGap",
    "Grade",
    "Judge",
    "JudgePanel",
    "JudgeSpec",
    "Label",
    "LookUp",
    "Opinion",
    "OpinionFile",
    "Outcome",
    "Panel",
    "PanelError",
    "Policy",
    "Quote",
    "Reading",
    "Reason",
    "RecordedJudge",
    "RecordedOpinion",
    "Relation",
    "Relevance",
    "RelevanceSpec",
    "Resolution",
    "ResolverSpec",
    "RetrievalSpec",
    "Retrieved",
    "Route",
    "Search",
    "SearchHistory",
    "SearchRequest",
    "Seat",
    "StepKey",
    "Verdict",
    "Verifier",
    "VerifierScorer",
    "ask_judge",
    "asks_every_judge",
    "build_case",
    "check_citations",
    "check_opinions",
    "checker_facts",
    "checker_notices",
    "checker_of",
    "claims_of",
    "combination_of",
    "context_failure",
    "contradicted_claims",
    "cut_by_rule",
    "decide",
    "derivations_for",
    "draft_citations",
    "endpoints_of",
    "entailment",
    "evidence_of_claims",
    "evidence_text",
    "families",
    "family",
    "feature_names",
    "features",
    "files_of",
    "fit_case",
    "grade_of",
    "is_repeated",
    "judge_order",
    "judge_reply",
    "judges",
    "judges_in",
    "language_notice",
    "load_calibrator",
    "load_combination",
    "load_panel",
    "most_citations",
    "next_judges",
    "panel_fields",
    "panel_names",
    "plugin_notices",
    "pool_evidence",
    "prompt_hashes",
    "read_opinions",
    "recompute",
    "refuse_audited_weights",
    "refuse_same_family",
    "replaceable_endpoints",
    "resolve_round",
    "search_tool",
    "seats_of",
    "settle",
    "settled_early",
    "unasked_votes",
    "unchecked",
    "weights_of",
    "whole_case",
]
