from .adjudicate import adjudicate
from .adjudication import Keeper, TraceInput, TraceOutput, build_graph
from .batch import Runner, select, traces_in_flight
from .browsing import COUNTS, ArmCount, Browsing, TraceLine, TracePage, Wanted
from .browsing_steps import Pattern, Reference, StepBrowsing, StepLine
from .cluster.crew import CrewError
from .cluster.joining import Cluster
from .court import Court, open_court
from .estimate import Asker, Estimate, estimate
from .export import write_rows
from .ledger import DEFAULT_STORE, Ledger, RunDiffersError
from .ledger_reading import TraceOutcomes, UnknownRunError
from .reviews import Review, Reviews, VerdictCounts
from .rows import CitationRow, OpinionRow, ResolverRow, StepRow
from .runs import Manifest, Run, RunProgress, installed, panel_hash
from .schema import SchemaError
from .tally import Tally
from .tone_swap import Swapped, tone_prompts, tone_swap
from .upgrading import LedgerStatus, Upgraded, ledger_status, upgrade_ledger
from .votes import Vote, read_votes

__all__ = [
    "COUNTS",
    "DEFAULT_STORE",
    "ArmCount",
    "Asker",
    "Browsing",
    "CitationRow",
    "Cluster",
    "Court",
    "CrewError",
    "Estimate",
    "Keeper",
    "Ledger",
    "LedgerStatus",
    "Manifest",
    "OpinionRow",
    "Pattern",
    "Reference",
    "ResolverRow",
    "Review",
    "Reviews",
    "Run",
    "RunDiffersError",
    "RunProgress",
    "Runner",
    "SchemaError",
    "StepBrowsing",
    "StepLine",
    "StepRow",
    "Swapped",
    "Tally",
    "TraceInput",
    "TraceLine",
    "TraceOutcomes",
    "TraceOutput",
    "TracePage",
    "UnknownRunError",
    "Upgraded",
    "VerdictCounts",
    "Vote",
    "Wanted",
    "adjudicate",
    "build_graph",
    "estimate",
    "installed",
    "ledger_status",
    "open_court",
    "panel_hash",
    "read_votes",
    "select",
    "tone_prompts",
    "tone_swap",
    "traces_in_flight",
    "upgrade_ledger",
    "write_rows",
]
