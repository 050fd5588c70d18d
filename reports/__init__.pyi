from .answers import AnswerMetrics, SelfConsistency, Votes, answer_metrics, self_consistency
from .bootstrap import Bootstrapped, Estimate, bootstrap
from .columns import ArmKey, Columns, gather
from .hedging import Hedging
from .rates import StepRates, step_rates
from .reliability import Bin, Calibration
from .slices import JudgeRates, TypeShare
from .summary import Accuracy, ArmSummary, Summary, summarise
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "Accuracy",
    "AnswerMetrics",
    "ArmKey",
    "ArmSummary",
    "Bin",
    "Bootstrapped",
    "Calibration",
    "Columns",
    "Estimate",
    "Hedging",
    "JudgeRates",
    "SelfConsistency",
    "StepRates",
    "Summary",
    "TraceRates",
    "TypeShare",
    "Votes",
    "answer_metrics",
    "bootstrap",
    "gather",
    "self_consistency",
    "step_rates",
    "summarise",
    "trace_rates",
]
