from .browsing import COUNTS, ArmCount, Browsing, StepVerdict, TraceFilter, TraceLine, TracePage, TraceVerdicts
from .browsing_steps import CitedEvidence, StepBrowsing, StepLine, VotePattern
from .evidence_export import write_evidence
from .export import no_formula, write_rows
from .failure_counts import FailureCount, FailureCounts, count_failure
from .leases import RunInUseError, run_lease
from .notes import Notes, StepNote
from .reader import TraceOutcomes, UnknownRunError
from .reviews import Review, Reviews, VerdictCounts
from .rows import CitationRow, ClaimRow, OpinionRow, ResolverRow, StepRow
from .runs import Run, RunManifest, RunProgress, package_versions, panel_hash
from .schema import SchemaError
from .spending import PurposeSpending, spending_by_purpose
from .step_lists import StepFilter, StepKey, StepLists, StepPage
from .upgrading import LedgerStatus, Upgraded, ledger_status, upgrade_ledger
from .votes import Vote, read_votes
from .writer import DEFAULT_STORE, Ledger, RunDiffersError

__all__ = [
    "COUNTS",
    "DEFAULT_STORE",
    "ArmCount",
    "Browsing",
    "CitationRow",
    "CitedEvidence",
    "ClaimRow",
    "FailureCount",
    "FailureCounts",
    "Ledger",
    "LedgerStatus",
    "Notes",
    "OpinionRow",
    "PurposeSpending",
    "ResolverRow",
    "Review",
    "Reviews",
    "Run",
    "RunDiffersError",
    "RunInUseError",
    "RunManifest",
    "RunProgress",
    "SchemaError",
    "StepBrowsing",
    "StepFilter",
    "StepKey",
    "StepLine",
    "StepLists",
    "StepNote",
    "StepPage",
    "StepRow",
    "StepVerdict",
    "TraceFilter",
    "TraceLine",
    "TraceOutcomes",
    "TracePage",
    "TraceVerdicts",
    "UnknownRunError",
    "Upgraded",
    "VerdictCounts",
    "Vote",
    "VotePattern",
    "count_failure",
    "ledger_status",
    "no_formula",
    "package_versions",
    "panel_hash",
    "read_votes",
    "run_lease",
    "spending_by_purpose",
    "upgrade_ledger",
    "write_evidence",
    "write_rows",
]
