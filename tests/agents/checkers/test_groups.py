"""Leave-one-out over the sentences that one judge cites: enumerated on small tables, properties by hypothesis."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracejury.agents import Relation
from tracejury.agents.checkers import MOST_SENTENCES, Pair, Probabilities, count_group, pairs_to_score

SENTENCES = ("a", "b", "c")
SUBSETS = [frozenset(group) for size in (1, 2, 3) for group in combinations(SENTENCES, size)]


def table(values: dict[str, float], relation: Relation = Relation.SUPPORTS):
    """Score by the letters of a group, whatever their order."""
    by_set = {frozenset(letters): p for letters, p in values.items()}

    def score(pair: Pair) -> Probabilities:
        p = by_set[frozenset(pair.sentences)]
        both_ways = (p, 0.0) if relation is Relation.SUPPORTS else (0.0, p)
        return Probabilities(*both_ways, 1 - p)

    return score


@pytest.mark.parametrize(
    ("values", "counting"),
    [
        # All three are needed.
        ({"a": 0.1, "b": 0.1, "c": 0.1, "ab": 0.3, "ac": 0.3, "bc": 0.3, "abc": 0.9}, (0, 1, 2)),
        # The third adds nothing: it is dropped, and the two that are needed count.
        ({"a": 0.2, "b": 0.2, "c": 0.1, "ab": 0.9, "ac": 0.3, "bc": 0.3, "abc": 0.9}, (0, 1)),
        # The third takes something away: it is dropped.
        ({"a": 0.2, "b": 0.2, "c": 0.1, "ab": 0.9, "ac": 0.3, "bc": 0.3, "abc": 0.4}, (0, 1)),
        # One sentence carries it: what rides along is dropped.
        ({"a": 0.95, "b": 0.1, "c": 0.1, "ab": 0.95, "ac": 0.95, "bc": 0.1, "abc": 0.95}, (0,)),
        # Two say the same: the earlier one counts.
        ({"a": 0.9, "b": 0.9, "c": 0.1, "ab": 0.9, "ac": 0.9, "bc": 0.9, "abc": 0.9}, (0,)),
        # Together below the threshold: nothing counts, whatever each adds.
        ({"a": 0.1, "b": 0.1, "c": 0.1, "ab": 0.3, "ac": 0.3, "bc": 0.3, "abc": 0.79}, ()),
        # No sentence says anything.
        ({"a": 0.0, "b": 0.0, "c": 0.0, "ab": 0.0, "ac": 0.0, "bc": 0.0, "abc": 0.0}, ()),
    ],
)
@pytest.mark.parametrize("relation", [Relation.SUPPORTS, Relation.CONTRADICTS])
def test_what_adds_nothing_is_dropped(values: dict[str, float], counting: tuple[int, ...], relation: Relation) -> None:
    counted = count_group("claim", SENTENCES, relation, table(values, relation), threshold=0.8)
    assert counted.counting == counting


def test_without_a_threshold_nothing_counts() -> None:
    counted = count_group("claim", ("a",), Relation.SUPPORTS, table({"a": 1.0}), threshold=None)
    assert counted == ((), 1.0)


def test_nobody_cites_silence() -> None:
    with pytest.raises(ValueError, match="silence cannot be cited"):
        count_group("claim", ("a",), Relation.SILENT, table({"a": 1.0}), threshold=0.5)


def test_a_repeated_sentence_is_one_and_a_fourth_is_not_read() -> None:
    score = table({"a": 0.9, "b": 0.1, "c": 0.1, "ab": 0.9, "ac": 0.9, "bc": 0.1, "abc": 0.9})
    assert count_group("claim", ("a", "a", "a"), Relation.SUPPORTS, score, 0.8).counting == (0,)
    repeated = ("b", "a", "b", "c", "d")
    assert {s for pair in pairs_to_score("claim", repeated) for s in pair.sentences} == {"a", "b", "c"}
    assert count_group("claim", repeated, Relation.SUPPORTS, score, 0.8).counting == (1,)


probability = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 0.9, 1.0])


@given(st.lists(probability, min_size=7, max_size=7), st.integers(1, 3), probability)
def test_what_counts_is_above_the_threshold_and_each_sentence_raises_it(
    values: list[float], cited: int, threshold: float
) -> None:
    score = table({"".join(sorted(group)): p for group, p in zip(SUBSETS, values, strict=True)})
    looked_up: list[Pair] = []

    def noted(pair: Pair) -> Probabilities:
        looked_up.append(pair)
        return score(pair)

    sentences = SENTENCES[:cited]
    counted = count_group("claim", sentences, Relation.SUPPORTS, noted, threshold)
    scored = pairs_to_score("claim", sentences)
    assert set(looked_up) <= set(scored)
    assert len(scored) == 2 ** min(cited, MOST_SENTENCES) - 1
    # Nothing that leave-one-out comes to is stronger than the strongest group: thresholds are set against that.
    assert counted.p <= max(score(pair).supports for pair in scored)
    if counted.counting:
        group = [sentences[i] for i in counted.counting]
        assert score(Pair("claim", tuple(group))).supports == counted.p >= threshold
        for left_out in group:
            rest = tuple(s for s in group if s != left_out)
            assert counted.p > (score(Pair("claim", rest)).supports if rest else 0.0)
