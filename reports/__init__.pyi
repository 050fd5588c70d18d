from .agreement import RaterAgreement, rater_agreement
from .answers import AnswerMetrics, SelfConsistency, Votes, answer_metrics, self_consistency
from .audits import Audit, audit, choose_arms
from .calibration import NotEnoughLabelsError, calibrate, least_questions
from .certify import Verdicts, certify, questions_needed
from .checker_calibration import calibrate_checker
from .columns import KINDS, ArmKey, Columns, gather
from .comparable import NotComparableError, check_comparable
from .comparison import Comparison, Difference, Settings, Sides, compare, step_difference
from .conditions import Stratum, Where
from .controls import Control, ControlRow, Rejudge, load_controls
from .exhibits import Exhibit
from .expert_reviews import ExpertLabel, ReviewSummary, expert_labels, read_returned, review, with_expert_labels
from .factors import TITLES, Term
from .fewer_judges import recount
from .gates import Gate, GateCheck, GateLimits, gate_markdown, junit, pass_gate
from .hedging import Hedging
from .judge_pairs import JudgePair
from .judges import Agreement, Drift, FamilyRate, JudgesReport, LeftOut, Skill, report_judges
from .label_files import labelled_by, read_labels
from .labelled import Labelled, NoLabelsError, labelled
from .labelled_pairs import LabelledPair, read_labelled_pairs
from .paired import sign_flip
from .rates import StepRates, rates_of, share_estimate, step_rates
from .reliability import Bin, Calibration
from .report import Report, make_report, write_report
from .resampling import Bootstrapped, Estimate, bootstrap
from .score import RiskPoint, Score, SystemScore, score
from .seats import without_unskilled
from .sheet_files import write_csv, write_form, write_xlsx
from .sheets import Key, Keyed, SheetItem, draw_from_counts, draw_sheet, sheet_items
from .slices import JudgeRates, TypeShare
from .summary import Accuracy, ArmSummary, Summary, summarise
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "KINDS",
    "TITLES",
    "Accuracy",
    "Agreement",
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
    "Drift",
    "Estimate",
    "Exhibit",
    "ExpertLabel",
    "FamilyRate",
    "Gate",
    "GateCheck",
    "GateLimits",
    "Hedging",
    "JudgePair",
    "JudgeRates",
    "JudgesReport",
    "Key",
    "Keyed",
    "Labelled",
    "LabelledPair",
    "LeftOut",
    "NoLabelsError",
    "NotComparableError",
    "NotEnoughLabelsError",
    "RaterAgreement",
    "Rejudge",
    "Report",
    "ReviewSummary",
    "RiskPoint",
    "Score",
    "SelfConsistency",
    "Settings",
    "SheetItem",
    "Sides",
    "Skill",
    "StepRates",
    "Stratum",
    "Summary",
    "SystemScore",
    "Term",
    "TraceRates",
    "TypeShare",
    "Verdicts",
    "Votes",
    "Where",
    "answer_metrics",
    "audit",
    "bootstrap",
    "calibrate",
    "calibrate_checker",
    "certify",
    "check_comparable",
    "choose_arms",
    "compare",
    "draw_from_counts",
    "draw_sheet",
    "expert_labels",
    "gate_markdown",
    "gather",
    "junit",
    "labelled",
    "labelled_by",
    "least_questions",
    "load_controls",
    "make_report",
    "pass_gate",
    "questions_needed",
    "rater_agreement",
    "rates_of",
    "read_labelled_pairs",
    "read_labels",
    "read_returned",
    "recount",
    "report_judges",
    "review",
    "score",
    "self_consistency",
    "share_estimate",
    "sheet_items",
    "sign_flip",
    "step_difference",
    "step_rates",
    "summarise",
    "trace_rates",
    "with_expert_labels",
    "without_unskilled",
    "write_csv",
    "write_form",
    "write_report",
    "write_xlsx",
]
