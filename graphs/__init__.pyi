from .adjudicate import adjudicate
from .adjudication import Keeper, TraceInput, TraceOutput, build_graph
from .batch import Runner, Tally, select, traces_in_flight
from .court import Court, open_court
from .estimate import Asker, Estimate, estimate
from .export import write_rows
from .ledger import DEFAULT_STORE, Ledger, RunDiffersError
from .ledger_reading import TraceOutcomes, UnknownRunError
from .rows import CitationRow, OpinionRow, ResolverRow, StepRow
from .runs import Manifest, Run, RunProgress, installed, panel_hash

__all__ = [
    "DEFAULT_STORE",
    "Asker",
    "CitationRow",
    "Court",
    "Estimate",
    "Keeper",
    "Ledger",
    "Manifest",
    "OpinionRow",
    "ResolverRow",
    "Run",
    "RunDiffersError",
    "RunProgress",
    "Runner",
    "StepRow",
    "Tally",
    "TraceInput",
    "TraceOutcomes",
    "TraceOutput",
    "UnknownRunError",
    "adjudicate",
    "build_graph",
    "estimate",
    "installed",
    "open_court",
    "panel_hash",
    "select",
    "traces_in_flight",
    "write_rows",
]
