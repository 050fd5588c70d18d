from .advice import Advice, PanelPrice, advise, advise_votes
from .agreement import RaterAgreement, kappa_and_chance, rater_agreement
from .answers import AnswerMetrics, SelfConsistency, Votes, answer_metrics, self_consistency
from .attempts import count_attempts, labels_digest
from .audits import Audit, audit, choose_arms
from .calibration import NotEnoughLabelsError, calibrate
from .certification import Verdicts, certify, questions_needed
from .checker_calibration import calibrate_checker
from .columns import KINDS, ArmKey, Columns, gather
from .comparable import NotComparableError, check_comparable, check_judged_shares
from .comparison import Comparison, DecidedLevel, Direction, Pool, Robust, StepComparison, compare
from .conditions import Stratum, Where
from .controls import Control, ControlRow, Rejudge, load_controls
from .corrected import Corrected, CorrectedDifference, corrected_difference, corrected_rate
from .dawid_skene import reliabilities
from .differences import Difference, Settings, paired_rates, step_difference
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
from .gates import Gate, GateCheck, GateLimits, effective_judges, gate_markdown, junit, pass_gate
from .hedging import Hedging
from .intervals import Jackknife, Share, bounded, difference, mean_share, share, unbounded
from .invariance import Edited, invariance, unchanged_between
from .judge_agreement import JudgePair, judge_pairs
from .judges import Agreement, Drift, FamilyRate, JudgesReport, LeftOut, Skill, report_judges
from .label_files import labelled_by, read_labels
from .labelled_pairs import LabelledPair, read_labelled_pairs
from .labelled_steps import Labelled, NoLabelsError, labelled
from .matrix import Heterogeneity, Matrix, MatrixCell, compare_matrix
from .paired import sign_flip
from .palette import ARM_COLOURS, ARM_SHAPES, OUTCOME_COLOURS, ordered_arms, palette_css
from .panel_worth import EffectiveNumber, JudgeWorth, PairCorrelation, PanelWorth, panel_worth, worth_of
from .planning import PLANNED_CORRELATION, PLANNED_ERROR_RATE, PLANNED_STEPS, detectable_difference
from .quoted_claims import QuotedClaim, draw_quoted_claim
from .rates import StepRates, rates_from_counts, rates_of, step_rates
from .reference_coverage import CoverageRow, ReferenceCoverage, reference_coverage
from .reliability import Bin, Calibration
from .report import Report, check_report_path, judged_text, make_report, write_report
from .resampling import Bootstrapped, bootstrap
from .risk import CertifiedCoverage, RiskCurve, certified_coverage, risk_curve, vote_shares
from .sampled_answers import SampledDifference
from .scoring import RiskPoint, Score, SystemScore, score
from .seats import without_unskilled
from .sheet_files import write_csv, write_form, write_xlsx
from .sheets import (
    ERROR_TYPES,
    RELATION_CHOICES,
    VERDICT_CHOICES,
    Key,
    Keyed,
    SheetItem,
    draw_from_counts,
    draw_sheet,
    reviewed_context,
    sheet_items,
    with_quoted,
)
from .sides import Sides, decided_in_both, pair
from .slices import JudgeRates, TypeChange, TypeShare
from .source_effect import ChangedStep, SourceEffect, source_effect
from .student_t import t_quantile
from .summary import Accuracy, ArmSummary, Summary, summarise
from .tables import comparison_rows, csv_table, latex_table, matrix_rows, methods_paragraph
from .tallied import flipped_questions, tallied_columns
from .unlike_coverage import least_difference, trimmed_differences
from .views import View
from .votes_table import JudgeVotes, balanced, compared, credit_sums, majority, read_votes
from .weighing import clusters_of, combined_votes, out_of_fold, weigh, weigh_votes
from .whole_traces import TraceRates, trace_rates

__all__ = [
    "ARM_COLOURS",
    "ARM_SHAPES",
    "ERROR_TYPES",
    "KINDS",
    "MIN_CLUSTERS",
    "OUTCOME_COLOURS",
    "PLANNED_CORRELATION",
    "PLANNED_ERROR_RATE",
    "PLANNED_STEPS",
    "RELATION_CHOICES",
    "TITLES",
    "VERDICT_CHOICES",
    "Accuracy",
    "Advice",
    "Agreement",
    "AnswerMetrics",
    "ArmKey",
    "ArmSummary",
    "Audit",
    "Bin",
    "Bootstrapped",
    "Calibration",
    "CertifiedCoverage",
    "ChangedStep",
    "Columns",
    "Comparison",
    "Control",
    "ControlRow",
    "Corrected",
    "CorrectedDifference",
    "CoverageRow",
    "DecidedLevel",
    "Difference",
    "Direction",
    "Drift",
    "Edited",
    "EffectiveNumber",
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
    "JudgeVotes",
    "JudgeWorth",
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
    "PairCorrelation",
    "PanelPrice",
    "PanelWorth",
    "Pool",
    "QuotedClaim",
    "RaterAgreement",
    "ReferenceCoverage",
    "Rejudge",
    "Report",
    "ReviewSummary",
    "RiskCurve",
    "RiskPoint",
    "Robust",
    "SampledDifference",
    "Score",
    "SelfConsistency",
    "Settings",
    "Share",
    "SheetItem",
    "Sides",
    "Skill",
    "SourceEffect",
    "StepComparison",
    "StepRates",
    "Stratum",
    "Summary",
    "SystemScore",
    "Term",
    "TraceRates",
    "TypeChange",
    "TypeShare",
    "Verdicts",
    "View",
    "Votes",
    "Where",
    "advise",
    "advise_votes",
    "answer_metrics",
    "audit",
    "balanced",
    "bootstrap",
    "bounded",
    "calibrate",
    "calibrate_checker",
    "certified_coverage",
    "certify",
    "check_comparable",
    "check_judged_shares",
    "check_report_path",
    "choose_arms",
    "clusters_of",
    "combined_votes",
    "compare",
    "compare_matrix",
    "compared",
    "comparison_rows",
    "corrected_difference",
    "corrected_rate",
    "count_attempts",
    "credit_sums",
    "csv_table",
    "decided_in_both",
    "detectable_difference",
    "difference",
    "draw_from_counts",
    "draw_quoted_claim",
    "draw_sheet",
    "effective_judges",
    "expert_labels",
    "expert_pairs",
    "flipped_questions",
    "gate_markdown",
    "gather",
    "invariance",
    "judge_pairs",
    "judged_text",
    "junit",
    "kappa_and_chance",
    "labelled",
    "labelled_by",
    "labels_digest",
    "latex_table",
    "least_difference",
    "load_controls",
    "majority",
    "make_report",
    "matrix_forest",
    "matrix_rows",
    "mean_share",
    "methods_paragraph",
    "ordered_arms",
    "out_of_fold",
    "pair",
    "paired_rates",
    "palette_css",
    "panel_worth",
    "pass_gate",
    "questions_needed",
    "rater_agreement",
    "rates_from_counts",
    "rates_of",
    "read_labelled_pairs",
    "read_labels",
    "read_returned",
    "read_votes",
    "recount",
    "reference_coverage",
    "reliabilities",
    "report_judges",
    "review",
    "reviewed_context",
    "risk_curve",
    "score",
    "self_consistency",
    "share",
    "sheet_items",
    "sign_flip",
    "source_effect",
    "step_difference",
    "step_rates",
    "summarise",
    "t_quantile",
    "tallied_columns",
    "trace_rates",
    "trimmed_differences",
    "unbounded",
    "unchanged_between",
    "vote_shares",
    "weigh",
    "weigh_votes",
    "with_expert_labels",
    "with_quoted",
    "without_unskilled",
    "worth_of",
    "write_csv",
    "write_form",
    "write_report",
    "write_xlsx",
]
