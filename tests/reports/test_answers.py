"""Answer metrics against brute force, and on real samples against a second implementation."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from tracejury.reports import Votes, answer_metrics, gather, self_consistency, summarise
from tracejury.traces import SAMPLED_ANSWERS, Question, Trace, read


def majority_by_brute_force(answers, gold, k):
    """Every k-subset of the samples, ties by fair draw."""
    score = []
    for subset in itertools.combinations(answers, k):
        votes = Counter(a for a in subset if a is not None)
        top = [a for a, n in votes.items() if n == max(votes.values())] if votes else []
        score.append((gold in top) / len(top) if top else 0.0)
    return float(np.mean(score))


@pytest.mark.parametrize(
    "answers", ["AABBC", "AAAA", "ABCDE", "BBBBA", "AB??", "????", "AABBCC?", "BBCCAAAAD", "A", "?A"]
)
def test_self_consistency_is_the_mean_over_all_subsets(answers):
    parsed = [None if a == "?" else a for a in answers]
    counts = Counter(a for a in parsed if a is not None)
    others = tuple(sorted((n for a, n in counts.items() if a != "A"), reverse=True))
    accuracies = self_consistency(Votes(counts["A"], others, parsed.count(None)))
    assert accuracies == pytest.approx([majority_by_brute_force(parsed, "A", k) for k in range(1, len(parsed) + 1)])


def test_sixty_four_samples_are_exact_enough():
    accuracies = self_consistency(Votes(30, (20, 10, 4), 0))
    assert accuracies[0] == pytest.approx(30 / 64)
    assert accuracies[-1] == pytest.approx(1.0)
    assert np.all((accuracies >= 0) & (accuracies <= 1 + 1e-9))


def samples(step_row, question, answers, gold="A", options=4):
    return [
        step_row(question_id=question, trace_id=f"{question}-{i}", step_id=f"{question}-{i}-0", sample=i, gold=gold,
                 answer=None if a == "?" else a, answer_correct=a == gold, meta={"options": options})
        for i, a in enumerate(answers)
    ]  # fmt: skip


def test_metrics_by_hand(step_row):
    rows = samples(step_row, "q1", "AAAB") + samples(step_row, "q2", "BBB?") + samples(step_row, "q3", "AABB")
    metrics = answer_metrics(gather(rows), 0)
    assert (metrics.questions, metrics.traces, metrics.unparsable) == (3, 12, 1)
    assert metrics.accuracy.value == pytest.approx((0.75 + 0 + 0.5) / 3)
    assert metrics.if_unparsable_right == pytest.approx((0.75 + 0.25 + 0.5) / 3)
    assert metrics.self_consistency[-1].accuracy.value == pytest.approx((1 + 0 + 0.5) / 3)
    # Shares 3/4, 3/3, 2/4; right 1, 0, a half. Three bins of [.25, 1]: two questions share none of them.
    assert metrics.calibration.ece.value == pytest.approx((0.25 + 1.0 + 0.0) / 3)
    assert metrics.calibration.brier.value == pytest.approx((0.25**2 + 1.0 + 0.0) / 3)
    assert [b.questions for b in metrics.calibration.bins] == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]


def test_one_sample_a_question_has_accuracy_and_no_calibration(step_row):
    rows = [row for q in range(6) for row in samples(step_row, f"q{q}", "AB"[q % 2])]
    metrics = answer_metrics(gather(rows), 0)
    assert metrics.accuracy.value == pytest.approx(0.5)
    assert metrics.calibration is None


def test_counted_samples_stay_with_their_arm_in_whatever_order_the_arms_are_read(step_row):
    def counted(arm, right, wrong):
        return step_row(question_id="q", trace_id=arm, step_id=arm, arm=arm, answer="A",
                        meta={"options": 4, SAMPLED_ANSWERS: [["A", right], ["B", wrong]]})  # fmt: skip

    columns = gather([counted("distilled", 1, 3), counted("base", 9, 1)])
    arms = {columns.arms[code].arm: answer_metrics(columns, code) for code in (0, 1)}
    assert arms["base"].traces == 10
    assert arms["base"].accuracy.value == pytest.approx(0.9)
    assert arms["distilled"].traces == 4
    assert arms["distilled"].accuracy.value == pytest.approx(0.25)


def second_implementation(answers, golds, bins=10, options=4):
    """Self-consistency by the counts of hypergeometric draws and ECE bin by bin, in plain loops."""
    rng = np.random.default_rng(0)
    sc, shares, hits = {1: [], 5: [], 15: [], 30: []}, [], []
    for sampled, gold in zip(answers, golds, strict=True):
        kinds = sorted({a for a in sampled if a})
        counts = [sampled.count(a) for a in kinds] + [sampled.count(None)]
        for k, scores in sc.items():
            subsets = rng.multivariate_hypergeometric(counts, k, size=4_000)[:, :-1]
            top = subsets.max(axis=1, keepdims=True)
            winners = (subsets == top) & (top > 0)
            mine = np.array([a == gold for a in kinds])
            scores.append(((winners & mine).sum(1) / np.maximum(winners.sum(1), 1)).mean())
        top = max(sampled.count(a) for a in kinds)
        winners = [a for a in kinds if sampled.count(a) == top]
        shares.append(top / sum(a is not None for a in sampled))
        hits.append((gold in winners) / len(winners))
    ece, low, width = 0.0, 1 / options, (1 - 1 / options) / bins
    for b in range(bins):
        start, end = low + b * width, low + (b + 1) * width
        inside = [
            i for i, s in enumerate(shares) if start - 1e-9 <= s < end - 1e-9 or (b == bins - 1 and s > end - 1e-9)
        ]
        if inside:
            gap = abs(sum(hits[i] for i in inside) / len(inside) - sum(shares[i] for i in inside) / len(inside))
            ece += gap * len(inside) / len(shares)
    return {k: float(np.mean(v)) for k, v in sc.items()}, ece, shares, hits


def test_thirty_real_samples_a_question_agree_with_a_second_implementation(shared_data, step_row):
    page = shared_data / "vlievin_medical_reasoning" / "usmle-valid.html"
    records = list(read("vlievin", page))
    questions = {q.id: q for q in records if isinstance(q, Question)}
    by_question = {}
    for trace in (t for t in records if isinstance(t, Trace)):
        by_question.setdefault(trace.question_id, []).append(trace)
    assert {len(traces) for traces in by_question.values()} == {30}
    # The page leaves one of its 100 questions without a marked answer: it cannot be graded.
    by_question = {q: traces for q, traces in by_question.items() if questions[q].gold}
    assert len(by_question) == 99
    rows = [
        step_row(question_id=t.question_id, trace_id=t.id, step_id=t.id, arm="all", answer=t.answer,
                 gold=questions[t.question_id].gold, answer_correct=t.answer == questions[t.question_id].gold,
                 meta={"options": len(questions[t.question_id].options)})
        for traces in by_question.values() for t in traces
    ]  # fmt: skip
    ours = answer_metrics(gather(rows), 0)
    answers = [[t.answer for t in traces] for traces in by_question.values()]
    sc, ece, shares, hits = second_implementation(answers, [questions[q].gold for q in by_question])
    assert ours.accuracy.value == pytest.approx(np.mean([r.answer_correct for r in rows]))
    for k, value in sc.items():
        assert ours.self_consistency[k - 1].accuracy.value == pytest.approx(value, abs=0.003)
    assert ours.calibration.ece.value == pytest.approx(ece, abs=1e-9)
    whole = [i for i, h in enumerate(hits) if h in (0, 1)]
    brier = brier_score_loss([hits[i] for i in whole], [shares[i] for i in whole])
    left = sum((shares[i] - hits[i]) ** 2 for i in range(len(hits)) if i not in whole)
    assert ours.calibration.brier.value == pytest.approx((brier * len(whole) + left) / len(hits))
    # The page itself marks what is right: an accuracy counted without any reader of ours.
    marks = re.findall(r"<td[^>]*>\s*(&#\d+;)", page.read_text(encoding="utf-8"))
    assert np.mean([m == "&#9989;" for m in marks]) == pytest.approx(ours.accuracy.value, abs=0.02)


def test_accuracies_of_real_arms_equal_an_independent_count(shared_data, step_row):
    """Both arms of Reasoning-Guidance, counted once by the reader and the columns, once from the JSON by hand."""
    folder = shared_data / "reasoning_guidance"
    traces = list(read("reasoning-guidance", folder))
    questions = {q.id: q for q in traces if isinstance(q, Question)}
    rows = [
        step_row(question_id=t.question_id, trace_id=t.id, step_id="", step_index=-1, step_text="", outcome=None,
                 claim=False, arm=t.arm, answer=t.answer, gold=questions[t.question_id].gold,
                 answer_correct=t.answer == questions[t.question_id].gold)
        for t in traces if isinstance(t, Trace) and t.arm in ("base", "distilled")
    ]  # fmt: skip
    for arm in summarise(gather(rows)).arms:
        name = {"base": "base", "distilled": "finetuned"}[arm.name]
        raw = json.loads((folder / f"{name}_medmcqa_first200.json").read_text())
        by_row = {(t.arm, questions[t.question_id].stem, t.text): t.answer for t in traces if isinstance(t, Trace)}
        sampled = [by_row[arm.name, r["question"].strip(), r["output"].strip()] for r in raw]
        right = sum(a == r["answer_idx"] for a, r in zip(sampled, raw, strict=True))
        assert arm.answers.traces == len(raw) == 200
        assert arm.answers.accuracy.value == pytest.approx(right / 200)
        # And without our extraction: the last "answer is X" or "X." that a plain pattern finds, within three points.
        plain = [re.findall(r"(?i)answer(?: is)?:?\W*(?:option )?([A-D])\b", r["output"]) for r in raw]
        counted = [letters[0].upper() == r["answer_idx"] for letters, r in zip(plain, raw, strict=True) if letters]
        assert len(counted) > 100
        ours = [a == r["answer_idx"] for a, r, letters in zip(sampled, raw, plain, strict=True) if letters]
        assert abs(np.mean(counted) - np.mean(ours)) < 0.03
