from .bootstrap import Bootstrapped, Estimate, bootstrap
from .columns import ArmKey, Columns, gather
from .hedging import Hedging
from .rates import StepRates, step_rates
from .slices import JudgeRates, TypeShare
from .summary import Accuracy, ArmSummary, Summary, summarise
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "Accuracy",
    "ArmKey",
    "ArmSummary",
    "Bootstrapped",
    "Columns",
    "Estimate",
    "Hedging",
    "JudgeRates",
    "StepRates",
    "Summary",
    "TraceRates",
    "TypeShare",
    "bootstrap",
    "gather",
    "step_rates",
    "summarise",
    "trace_rates",
]
