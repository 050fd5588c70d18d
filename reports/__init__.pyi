from .answers import AnswerMetrics, SelfConsistency, Votes, answer_metrics, self_consistency
from .audits import Audit, audit, choose_arms
from .bootstrap import Bootstrapped, Estimate, bootstrap
from .columns import ArmKey, Columns, gather
from .comparable import NotComparableError, check_comparable
from .compare import Comparison, Difference, Settings, compare
from .conditions import Stratum, Where
from .controls import Control, ControlRow, Rejudge, load_controls
from .factors import TITLES, Term
from .hedging import Hedging
from .paired import sign_flip
from .rates import StepRates, step_rates
from .recount import recount
from .reliability import Bin, Calibration
from .slices import JudgeRates, TypeShare
from .summary import Accuracy, ArmSummary, Summary, summarise
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "TITLES",
    "Accuracy",
    "AnswerMetrics",
    "ArmKey",
    "ArmSummary",
    "Audit",
    "Bin",
    "Bootstrapped",
    "Calibration",
    "Columns",
    "Comparison",
    "Control",
    "ControlRow",
    "Difference",
    "Estimate",
    "Hedging",
    "JudgeRates",
    "NotComparableError",
    "Rejudge",
    "SelfConsistency",
    "Settings",
    "StepRates",
    "Stratum",
    "Summary",
    "Term",
    "TraceRates",
    "TypeShare",
    "Votes",
    "Where",
    "answer_metrics",
    "audit",
    "bootstrap",
    "check_comparable",
    "choose_arms",
    "compare",
    "gather",
    "load_controls",
    "recount",
    "self_consistency",
    "sign_flip",
    "step_rates",
    "summarise",
    "trace_rates",
]
