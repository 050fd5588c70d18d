from .adjudicate import adjudicate
from .adjudication import DeliberationSink, TraceInput, TraceOutput, build_graph
from .batch import Runner, select, traces_in_flight
from .cluster.joining import Cluster
from .cluster.worker_pool import WorkerPoolError
from .estimate import AskerEstimate, CostEstimate, estimate
from .run_context import RunContext, open_run_context
from .tally import RunTally
from .tone_swap import SwappedTrace, tone_prompts, tone_swap

__all__ = [
    "AskerEstimate",
    "Cluster",
    "CostEstimate",
    "DeliberationSink",
    "RunContext",
    "RunTally",
    "Runner",
    "SwappedTrace",
    "TraceInput",
    "TraceOutput",
    "WorkerPoolError",
    "adjudicate",
    "build_graph",
    "estimate",
    "open_run_context",
    "select",
    "tone_prompts",
    "tone_swap",
    "traces_in_flight",
]
