"""What pages read agrees with the exported rows, on SQLite and on Postgres alike, also after a step was heard again."""

from __future__ import annotations

from collections import Counter

import pytest
from made_ledger import deliberations, demo_pairs, make_run

from tracejury.agents import Outcome, Reason, Route, Verdict
from tracejury.ledger import (
    Browsing,
    Ledger,
    Review,
    Reviews,
    Run,
    StepBrowsing,
    StepFilter,
    StepLists,
    StepRow,
    TraceFilter,
)
from tracejury.traces import ErrorType, segment

PAIRS = demo_pairs()[:10]


@pytest.fixture(scope="module")
def run(ledger: Ledger) -> Run:
    # Two runs in one ledger: nothing of the other may be seen.
    make_run(ledger, demo_pairs()[10:13], name="other")
    return make_run(ledger, PAIRS)


@pytest.fixture(scope="module")
def rows(ledger: Ledger, run: Run) -> list[StepRow]:
    return list(ledger.rows(run))


def found(ledger: Ledger, run: Run, **wanted: object) -> set[str]:
    return {line.trace_id for line in Browsing(ledger).traces(run, TraceFilter.model_validate(wanted)).lines}


def test_the_tallies_are_the_rows_counted(ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    progress = Browsing(ledger).progress(run)
    assert progress == ledger.progress(run).model_copy(update={"cost_usd": progress.cost_usd})
    assert progress.cost_usd == pytest.approx(sum(r.cost_usd for r in rows))
    for arm in Browsing(ledger).arms(run):
        mine = [r for r in rows if r.arm == arm.arm]
        assert arm.judged == len(mine)
        assert arm.error == sum(r.outcome == "error" for r in mine)
        wrong = {r.trace_id for r in mine if r.outcome == "error"}
        assert arm.flawed == len({r.trace_id for r in mine if r.answer_correct} & wrong)


def test_every_filter_finds_what_the_rows_say(ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    def those(fits: object) -> set[str]:
        return {r.trace_id for r in rows if fits(r)}  # type: ignore[operator]

    assert found(ledger, run) == those(lambda r: True)
    assert found(ledger, run, arm="base") == those(lambda r: r.arm == "base")
    assert found(ledger, run, resolver=True) == those(lambda r: r.resolver is not None)
    assert found(ledger, run, answer="wrong") == those(lambda r: r.answer_correct is False)
    assert found(ledger, run, outcome="no_claim") == those(lambda r: not r.claim)
    for outcome in Outcome:
        assert found(ledger, run, outcome=outcome) == those(lambda r, o=outcome: r.claim and r.outcome is o)
    for kind in ErrorType:
        assert found(ledger, run, error_type=kind) == those(lambda r, k=kind: r.error_type is k)
    no_verdict = {Outcome.ABSTAINED, Outcome.FAILED}
    for reason in Reason:
        assert found(ledger, run, reason=reason) == those(lambda r, x=reason: r.reason is x and r.outcome in no_verdict)
    assert found(ledger, run, outcome="error", answer="right") == found(ledger, run, flawed=True)
    assert found(ledger, run, arm="base", disagreement=True) == found(ledger, run, disagreement=True) & found(
        ledger, run, arm="base"
    )


def test_search_takes_words_of_question_and_trace_and_any_punctuation(ledger: Ledger, run: Run) -> None:
    everything = {t.id: " ".join((q.stem, q.key, *q.options.values(), t.text)).lower() for q, t in PAIRS}
    for words in ("labetalol", "LABETALOL heparin", "potass"):
        wanted = {i for i, text in everything.items() if all(w in text for w in words.lower().split())}
        assert found(ledger, run, words=words) == wanted
        assert wanted
    for odd in ("don't", '"labetalol', "a OR b*", "& | ! ( :*", "--", "NEAR(x", "%", "\N{ROBOT FACE}", "'; DROP"):
        found(ledger, run, words=odd)
    trace_id = PAIRS[3][1].id
    assert found(ledger, run, words=trace_id[:9]) == {trace_id}
    assert found(ledger, run, words="t_%") == set()


def test_sorting_and_paging(ledger: Ledger, run: Run) -> None:
    errors = [line.error for line in Browsing(ledger).traces(run, TraceFilter(sort="errors")).lines]
    assert errors == sorted(errors, reverse=True)
    first = [line.first_error for line in Browsing(ledger).traces(run, TraceFilter(sort="first_error")).lines]
    assert first == sorted(first, key=lambda at: (at is None, at or 0))
    assert Browsing(ledger).traces(run, TraceFilter(page=99)).page == 1
    lines = Browsing(ledger).traces(run, TraceFilter()).lines
    assert Browsing(ledger).neighbours(run, lines[4].trace_id) == (lines[3].trace_id, lines[5].trace_id)
    assert Browsing(ledger).neighbours(run, lines[0].trace_id)[0] is None


def test_votes_and_references_are_the_rows_counted(ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    steps = StepBrowsing(ledger)
    said = Counter((o.judge, o.label or "failed") for r in rows for o in r.opinions)
    counted: Counter[tuple[str, str]] = Counter()
    for pattern in steps.patterns(run):
        for vote in pattern.votes:
            counted[vote.judge, vote.label] += pattern.steps
    assert counted == said
    cited = Counter(e for r in rows for e in {c.evidence_id for c in r.citations})
    assert {r.id: r.supported + r.error for r in steps.references(run)} == cited
    name = cited.most_common(1)[0][0]
    carried = {line.deliberation.step.id for page in (1, 2, 3) for line in steps.carried_by(run, name, page)}
    assert len(carried) == min(cited[name], 60)
    pattern = steps.patterns(run)[0]
    # The same votes end differently where the evidence differs.
    outcomes = {p.outcome for p in steps.patterns(run) if p.text == pattern.text}
    lines = steps.with_votes(run, [pattern.text])
    assert lines
    assert {line.deliberation.verdict.outcome for line in lines} <= outcomes


def test_a_step_heard_again_is_counted_once(ledger: Ledger, run: Run) -> None:
    question, trace = demo_pairs()[20]
    cut = segment(trace)
    failed, *_ = (d for d in deliberations(question, trace, cut))
    broken = failed.model_copy(
        update={"verdict": Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.ALL_FAILED)}
    )
    good = failed.model_copy(
        update={
            "verdict": Verdict(
                outcome=Outcome.ERROR,
                route=Route.MAJORITY,
                reason=Reason.GROUNDED_MAJORITY,
                error_type=ErrorType.FACTUAL,
            )
        }
    )
    other = ledger.run("other")
    for made in (broken, good, good, broken):
        with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
            ledger.put_trace(connection, other.id, trace, question, cut)
            ledger.put_deliberation(connection, other.id, made)
        (line,) = (x for x in Browsing(ledger).siblings(other, question.id) if x.trace_id == trace.id)
        assert line.judged == 1
        assert (line.error, line.failed) == ((0, 1) if made is broken and not line.error else (1, 0))
    # The index of steps has let go of the failure as well.
    lists = StepLists(ledger)
    assert lists.in_trace(other, StepFilter(outcome=Outcome.ERROR, words=good.step.text[:20]), trace.id) == [0]
    assert lists.in_trace(other, StepFilter(outcome=Outcome.FAILED), trace.id) == []
    assert lists.in_trace(other, StepFilter(reason=Reason.ALL_FAILED), trace.id) == []


def test_a_review_replaces_the_experts_own(ledger: Ledger, run: Run) -> None:
    reviews = Reviews(ledger)
    reviews.save(run, Review(expert="Anna", step_id="s_1", label="error", error_type=ErrorType.FACTUAL))
    reviews.save(run, Review(expert="Ben", step_id="s_1", label="unclear"))
    reviews.save(run, Review(expert="Anna", step_id="s_1", label="supported", note="after all"))
    assert [(r.expert, r.label, r.error_type) for r in reviews.of(run)] == [
        ("Anna", "supported", None),
        ("Ben", "unclear", None),
    ]
    assert reviews.experts(run) == {"Anna": 1, "Ben": 1}
