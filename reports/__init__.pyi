from .agreement import RaterAgreement, kappa_and_chance, rater_agreement
from .answers import AnswerMetrics, SelfConsistency, Votes, answer_metrics, self_consistency
from .attempts import count_attempts, labels_digest
from .audits import Audit, audit, choose_arms
from .calibration import NotEnoughLabelsError, calibrate, least_questions
from .certification import Verdicts, certify, questions_needed
from .checker_calibration import calibrate_checker
from .columns import KINDS, ArmKey, Columns, gather
from .comparable import NotComparableError, check_comparable, check_judged_shares
from .comparison import Comparison, DecidedLevel, Direction, Pool, Robust, StepComparison, compare
from .conditions import Stratum, Where
from .controls import Control, ControlRow, Rejudge, load_controls
from .corrected import Corrected, CorrectedDifference, corrected_difference, corrected_rate
from .dawid_skene import reliabilities
from .differences import Difference, Settings, step_difference
from .estimates import MIN_CLUSTERS, Estimate
from .exhibits import Exhibit
from .expert_reviews import (
    ExpertLabel,
    ReviewSummary,
    expert_labels,
    expert_pairs,
    read_returned,
    review,
    with_expert_labels,
)
from .factors import TITLES, Term
from .fewer_judges import recount
from .figures import matrix_forest
from .gates import Gate, GateCheck, GateLimits, gate_markdown, junit, pass_gate
from .hedging import Hedging
from .intervals import Jackknife, Share, bounded, difference, mean_share, share, unbounded
from .judge_agreement import JudgePair, judge_pairs
from .judges import Agreement, Drift, FamilyRate, JudgesReport, LeftOut, Skill, report_judges
from .label_files import labelled_by, read_labels
from .labelled_pairs import LabelledPair, read_labelled_pairs
from .labelled_steps import Labelled, NoLabelsError, labelled
from .matrix import Heterogeneity, Matrix, MatrixCell, compare_matrix
from .paired import sign_flip
from .planning import PLANNED_CORRELATION, PLANNED_ERROR_RATE, PLANNED_STEPS, detectable_difference
from .rates import StepRates, rates_from_counts, rates_of, step_rates
from .reliability import Bin, Calibration
from .report import Report, check_report_path, judged_text, make_report, write_report
from .resampling import Bootstrapped, bootstrap
from .scoring import RiskPoint, Score, SystemScore, score
from .seats import without_unskilled
from .sheet_files import write_csv, write_form, write_xlsx
from .sheets import Key, Keyed, SheetItem, draw_from_counts, draw_sheet, sheet_items, with_quoted
from .sides import Sides, decided_in_both, pair
from .slices import JudgeRates, TypeShare
from .student_t import t_quantile
from .summary import Accuracy, ArmSummary, Summary, summarise
from .tables import comparison_rows, csv_table, latex_table, matrix_rows, methods_paragraph
from .unlike_coverage import least_difference, trimmed_differences
from .views import View
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "KINDS",
    "MIN_CLUSTERS",
    "PLANNED_CORRELATION",
    "PLANNED_ERROR_RATE",
    "PLANNED_STEPS",
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
    "Corrected",
    "CorrectedDifference",
    "DecidedLevel",
    "Difference",
    "Direction",
    "Drift",
    "Estimate",
    "Exhibit",
    "ExpertLabel",
    "FamilyRate",
    "Gate",
    "GateCheck",
    "GateLimits",
    "Hedging",
    "Heterogeneity",
    "Jackknife",
    "JudgePair",
    "JudgeRates",
    "JudgesReport",
    "Key",
    "Keyed",
    "Labelled",
    "LabelledPair",
    "LeftOut",
    "Matrix",
    "MatrixCell",
    "NoLabelsError",
    "NotComparableError",
    "NotEnoughLabelsError",
    "Pool",
    "RaterAgreement",
    "Rejudge",
    "Report",
    "ReviewSummary",
    "RiskPoint",
    "Robust",
    "Score",
    "SelfConsistency",
    "Settings",
    "Share",
    "SheetItem",
    "Sides",
    "Skill",
    "StepComparison",
    "StepRates",
    "Stratum",
    "Summary",
    "SystemScore",
    "Term",
    "TraceRates",
    "TypeShare",
    "Verdicts",
    "View",
    "Votes",
    "Where",
    "answer_metrics",
    "audit",
    "bootstrap",
    "bounded",
    "calibrate",
    "calibrate_checker",
    "certify",
    "check_comparable",
    "check_judged_shares",
    "check_report_path",
    "choose_arms",
    "compare",
    "compare_matrix",
    "comparison_rows",
    "corrected_difference",
    "corrected_rate",
    "count_attempts",
    "csv_table",
    "decided_in_both",
    "detectable_difference",
    "difference",
    "draw_from_counts",
    "draw_sheet",
    "expert_labels",
    "expert_pairs",
    "gate_markdown",
    "gather",
    "judge_pairs",
    "judged_text",
    "junit",
    "kappa_and_chance",
    "labelled",
    "labelled_by",
    "labels_digest",
    "latex_table",
    "least_difference",
    "least_questions",
    "load_controls",
    "make_report",
    "matrix_forest",
    "matrix_rows",
    "mean_share",
    "methods_paragraph",
    "pair",
    "pass_gate",
    "questions_needed",
    "rater_agreement",
    "rates_from_counts",
    "rates_of",
    "read_labelled_pairs",
    "read_labels",
    "read_returned",
    "recount",
    "reliabilities",
    "report_judges",
    "review",
    "score",
    "self_consistency",
    "share",
    "sheet_items",
    "sign_flip",
    "step_difference",
    "step_rates",
    "summarise",
    "t_quantile",
    "trace_rates",
    "trimmed_differences",
    "unbounded",
    "with_expert_labels",
    "with_quoted",
    "without_unskilled",
    "write_csv",
    "write_form",
    "write_report",
    "write_xlsx",
]
