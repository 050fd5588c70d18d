"""LangGraph graphs that route every step through retrieval, judges and resolver; the batch runner; the Ray back end.

User API: Cluster, CostEstimate, DeliberationSink, RunContext, RunTally, Runner, StepInput, StepNodes, StepOutput,
StepState, TraceInput, TraceOutput, adjudicate, build_graph, build_step_graph, draw_graph, estimate, open_graph,
open_run_context, tone_swap. It is documented in docs/api/graphs.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
