"""What the verdicts add up to: metrics, comparisons, agreement, calibration, expert review, the report.

User API: ArmKey, ArmSummary, Audit, Columns, Comparison, Control, Direction, Estimate, Gate, GateLimits, Report,
Robust, Score, Settings, StepComparison, StepRates, Summary, audit, calibrate, certify, compare, draw_sheet, gather,
load_controls, make_report, pass_gate, rater_agreement, report_judges, review, score, step_rates, summarise,
write_report. It is documented in docs/api/reports.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
