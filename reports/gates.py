"""The gate: whether a student may pass, decided on the bound of an interval, not on a point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as xml

from tracejury.ledger import StepRow
from tracejury.reports.comparison import Comparison, Direction, Robust, StepComparison
from tracejury.reports.estimates import Estimate
from tracejury.reports.panel_worth import worth_of
from tracejury.reports.sentence import points
from tracejury.reports.votes_table import read_votes
from tracejury.traces import Record


class GateLimits(Record):
    """What a student must keep to. Points are of 100."""

    max_step_error_rise: float = 3.0
    max_answer_drop: float | None = None
    """None: answers are not asked about."""
    max_coverage_gap: float = 5.0
    """Points by which the share of claims with a verdict may differ between the arms."""
    worst_case: bool = False
    """The worst case over abstentions must keep to the limit too."""
    allow_not_robust: bool = False
    """A direction that abstentions could turn around does not refuse."""
    allow_grounded_contradiction: bool = False
    """Grounded verdicts that point the other way do not refuse."""


class GateCheck(Record):
    """One condition of the gate."""

    name: str
    passed: bool
    finding: str
    """What was found against what was asked."""


class Gate(Record):
    """The decision. It passes only if every check does."""

    baseline: str
    student: str
    sentence: str
    passed: bool
    checks: tuple[GateCheck, ...]


def pass_gate(comparison: Comparison, limits: GateLimits, *more: GateCheck) -> Gate:
    """Decide on a comparison of a student with its baseline, by the jury's majority, and on `more` checks.

    The student fails unless the data show that it keeps to the limit: the interval's upper bound of the rise must not
    pass it, and too few verdicts are no proof of soundness. So a small study fails a student that a larger one would
    pass, never the reverse.
    """
    step_comparison = comparison.majority
    checks = [
        GateCheck(
            name="enough verdicts",
            passed=step_comparison.enough,
            finding=step_comparison.why_not or _coverage(comparison),
        ),
        _rise(step_comparison.steps.difference if step_comparison.steps else None, limits.max_step_error_rise),
        _like_coverage(step_comparison, limits.max_coverage_gap),
    ]
    if not limits.allow_not_robust:
        checks.append(_robust(step_comparison))
    if not limits.allow_grounded_contradiction:
        checks.append(_grounded(step_comparison, comparison.grounded))
    if limits.worst_case:
        worst = step_comparison.worst_case[1] if step_comparison.worst_case else None
        checks.append(_worst_case(worst, limits.max_step_error_rise))
    if limits.max_answer_drop is not None:
        checks.append(_answers(comparison.answers.difference if comparison.answers else None, limits.max_answer_drop))
    checks += more
    return Gate(
        baseline=f"{comparison.baseline.run}:{comparison.baseline.arm}",
        student=f"{comparison.other.run}:{comparison.other.arm}",
        sentence=comparison.sentence,
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
    )


def effective_judges(rows: Iterable[StepRow], least: float) -> GateCheck:
    """Check that the panel is worth `least` independent judges (Kish), measured on these rows."""
    name, votes = "effective judges", read_votes(rows)
    if len(votes.judges) < 2:
        return GateCheck(
            name=name, passed=least <= 1, finding=f"one judge votes ({votes.judges[0]}); {least:g} at least"
        )
    worth = worth_of(votes)
    number, basis = worth.kish.value, "" if worth.basis == "errors" else " by agreement alone, a lower bound"
    finding = f"{len(votes.judges)} judges are worth {number.text()}{basis}; {least:g} at least"
    return GateCheck(name=name, passed=(number.value or 0) >= least, finding=finding)


def _rise(rise: Estimate | None, limit: float) -> GateCheck:
    if rise is None or rise.value is None or rise.low is None or rise.high is None:
        return GateCheck(name="step errors", passed=False, finding="no interval could be had: lack of evidence")
    finding = f"step errors {points(rise)}; the upper bound may be {limit:+g} at most"
    passed = 100 * rise.high <= limit
    if not passed and 100 * rise.low <= limit:
        finding += (
            "; lack of evidence: these questions can show neither that it keeps to the limit nor that it does not"
        )
    return GateCheck(name="step errors", passed=passed, finding=finding)


def _like_coverage(step_comparison: StepComparison, limit: float) -> GateCheck:
    before, after = (100 * c for c in step_comparison.coverage)
    finding = f"coverage {before:.1f} and {after:.1f} %; {limit:g} points apart at most"
    return GateCheck(name="like coverage", passed=abs(after - before) <= limit, finding=finding)


def _robust(step_comparison: StepComparison) -> GateCheck:
    finding = f"direction robust to abstentions: {step_comparison.robust}"
    return GateCheck(name="robust to abstentions", passed=step_comparison.robust is not Robust.NO, finding=finding)


def _grounded(majority: StepComparison, grounded: StepComparison | None) -> GateCheck:
    """Refuse where grounded verdicts alone show more errors and the majority does not, or the two point apart."""
    name = "grounded verdicts"
    if grounded is None:
        return GateCheck(name=name, passed=True, finding="the run does not keep how well its verdicts are grounded")
    if grounded.steps is None or not grounded.enough:
        return GateCheck(name=name, passed=True, finding=f"too few to contradict: {grounded.why_not}")
    apart = {majority.direction, grounded.direction} == {Direction.UP, Direction.DOWN}
    worse = grounded.direction is Direction.UP and majority.direction is not Direction.UP
    finding = f"step errors {points(grounded.steps.difference)} by grounded verdicts alone"
    return GateCheck(name=name, passed=not (apart or worse), finding=finding)


def _worst_case(worst: Estimate | None, limit: float) -> GateCheck:
    if worst is None or worst.high is None:
        return GateCheck(name="worst case", passed=False, finding="no interval could be had")
    finding = (
        f"were all of the student's abstentions errors and none of the baseline's: {points(worst)}; {limit:+g} at most"
    )
    return GateCheck(name="worst case", passed=100 * worst.high <= limit, finding=finding)


def _answers(change: Estimate | None, drop: float) -> GateCheck:
    if change is None or change.low is None:
        return GateCheck(name="answers", passed=False, finding="no gold answers, or too few for an interval")
    finding = f"answers {points(change)}; the lower bound may be {-drop:+g} at least"
    return GateCheck(name="answers", passed=100 * change.low >= -drop, finding=finding)


def junit(gates: Sequence[Gate]) -> str:
    """Return the gates as JUnit XML, one suite a student, one case a check."""
    root = xml.Element("testsuites", name="tracejury gate")
    for g in gates:
        failed = sum(not check.passed for check in g.checks)
        counts = {"tests": str(len(g.checks)), "failures": str(failed)}
        suite = xml.SubElement(root, "testsuite", name=f"{g.student} against {g.baseline}", attrib=counts)
        for check in g.checks:
            case = xml.SubElement(suite, "testcase", classname=f"gate.{g.student}", name=check.name)
            if not check.passed:
                xml.SubElement(case, "failure", message=check.finding).text = g.sentence
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gate_markdown(gates: Sequence[Gate]) -> str:
    """Return the gates as Markdown, for a pipeline's summary page."""
    lines = []
    for g in gates:
        lines += [f"## {'passed' if g.passed else 'REFUSED'}: {g.student} against {g.baseline}", "", g.sentence, ""]
        lines += ["| check | | found |", "|---|---|---|"]
        lines += [f"| {c.name} | {'passed' if c.passed else '**failed**'} | {c.finding} |" for c in g.checks] + [""]
    return "\n".join(lines)


def _coverage(comparison: Comparison) -> str:
    decided = comparison.steps.questions if comparison.steps else 0
    return f"{decided} of {comparison.paired} paired questions are decided in both arms"
