"""The world of the repair benchmark: its planted faults are wrong by its own reading, and nothing else is."""

import random
from collections import Counter

from benchmarks.student_world import CELLS, chain, make_items, plant_faults, truth_of


def test_planted_faults_are_the_only_wrong_steps() -> None:
    rng = random.Random(4)
    items, faults = make_items(rng, 2), plant_faults(rng)
    assert len({item.question.stem for item in items}) == 2 * len(CELLS)
    planted = 0
    for item in items:
        for teacher, expected in ((None, []), (faults, [faults.kind(item.cell)] if faults.kind(item.cell) else [])):
            trace = chain(item, 0, "teacher", teacher)
            # Lines, not segments: the segmenter leaves out what is as short as `40 / 10 = 4 tablets.`
            truths = [truth_of(line, item.cell) for line in trace.text.split("\n\n")[0].splitlines()]
            assert all(truth.kind is not None for truth in truths), trace.text
            assert [truth.kind for truth in truths if not truth.right] == expected, trace.text
            planted += len(expected)
    kinds = Counter(faults.by_cell.values())
    assert planted == 2 * sum(kinds.values()) == 44
    assert set(kinds) == {"reading", "range", "comparison", "conclusion", "arithmetic", "dose"}
