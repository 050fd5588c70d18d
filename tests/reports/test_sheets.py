"""The sheet that experts get is the same one, whether it is drawn from the rows or from the counts of traces."""

from tracejury.ledger import Ledger, Reviews
from tracejury.reports import draw_from_counts, draw_sheet

ARMS = {"base": {"error": 0.3, "abstain": 0.2}, "distilled": {"error": 0.5, "abstain": 0.02}}


def test_both_ways_draw_the_same_sheet(fill, simulated, tmp_path):
    store = f"sqlite:///{tmp_path / 'ledger.db'}"
    fill(store, simulated(ARMS, questions=40, steps=4), "sim")
    ledger = Ledger(store)
    run = ledger.run("sim")
    rows = list(ledger.rows(run))
    outcomes = {row.step_id: (row.arm, row.outcome) for row in rows}
    for n in (12, 60, 1_000):
        sheet_rows = draw_sheet(reversed(rows), n, seed=3)
        assert sheet_rows == draw_from_counts(Reviews(ledger), run, n, seed=3)
        assert len({keyed.step_id for keyed in sheet_rows}) == len(sheet_rows) == min(n, len(outcomes))
        assert all(outcomes[keyed.step_id] == (keyed.arm, keyed.outcome) for keyed in sheet_rows)
        # Weights undo the stratification.
        assert round(sum(keyed.weight for keyed in sheet_rows)) == len(outcomes)
    few = draw_sheet(rows, 12, seed=3)
    traces = {row.step_id: row.trace_id for row in rows}
    assert len({traces[keyed.step_id] for keyed in few}) == len(few)
