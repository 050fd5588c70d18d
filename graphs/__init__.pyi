from .adjudicate import adjudicate
from .batch import Runner, select, traces_in_flight
from .cluster.joining import Cluster
from .cluster.worker_pool import WorkerPoolError
from .collecting import CollectedRequest, collect_requests
from .estimate import AskerEstimate, CostEstimate, estimate
from .opening import draw_graph, open_graph
from .published_verdicts import write_verdicts
from .recheck import RecheckTally, recheck, with_checker
from .run_context import RunContext, open_run_context
from .source_trust import TrustNow, trust_now
from .step_graph import DeliberationSink, StepNodes, build_step_graph
from .step_state import StepInput, StepOutput, StepState
from .tally import RunTally
from .tone_swap import SwappedTrace, tone_swap
from .trace_graph import TraceInput, TraceOutput, build_graph

__all__ = [
    "AskerEstimate",
    "Cluster",
    "CollectedRequest",
    "CostEstimate",
    "DeliberationSink",
    "RecheckTally",
    "RunContext",
    "RunTally",
    "Runner",
    "StepInput",
    "StepNodes",
    "StepOutput",
    "StepState",
    "SwappedTrace",
    "TraceInput",
    "TraceOutput",
    "TrustNow",
    "WorkerPoolError",
    "adjudicate",
    "build_graph",
    "build_step_graph",
    "collect_requests",
    "draw_graph",
    "estimate",
    "open_graph",
    "open_run_context",
    "recheck",
    "select",
    "tone_swap",
    "traces_in_flight",
    "trust_now",
    "with_checker",
    "write_verdicts",
]
