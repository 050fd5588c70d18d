from .browsing import COUNTS, ArmCount, Browsing, TraceLine, TracePage, Wanted
from .browsing_steps import Pattern, Reference, StepBrowsing, StepLine
from .export import write_rows
from .reader import TraceOutcomes, UnknownRunError
from .reviews import Review, Reviews, VerdictCounts
from .rows import CitationRow, OpinionRow, ResolverRow, StepRow
from .runs import Run, RunManifest, RunProgress, installed, panel_hash
from .schema import SchemaError
from .upgrading import LedgerStatus, Upgraded, ledger_status, upgrade_ledger
from .votes import Vote, read_votes
from .writer import DEFAULT_STORE, Ledger, RunDiffersError

__all__ = [
    "COUNTS",
    "DEFAULT_STORE",
    "ArmCount",
    "Browsing",
    "CitationRow",
    "Ledger",
    "LedgerStatus",
    "OpinionRow",
    "Pattern",
    "Reference",
    "ResolverRow",
    "Review",
    "Reviews",
    "Run",
    "RunDiffersError",
    "RunManifest",
    "RunProgress",
    "SchemaError",
    "StepBrowsing",
    "StepLine",
    "StepRow",
    "TraceLine",
    "TraceOutcomes",
    "TracePage",
    "UnknownRunError",
    "Upgraded",
    "VerdictCounts",
    "Vote",
    "Wanted",
    "installed",
    "ledger_status",
    "panel_hash",
    "read_votes",
    "upgrade_ledger",
    "write_rows",
]
