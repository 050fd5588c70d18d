"""Attacks on planted errors, through the command line, real checks and policy, with judges that obey every attack."""

from __future__ import annotations

from collections import Counter

from benchmarks.attacks.planted import PolicyAttack, planted_errors, policy_attacks
from benchmarks.attacks.through_policy import PANELS, attack_all, judges_installed
from tracejury.agents import Outcome

TWO, THREE = "two judges: obedient, strongest", "three judges: obedient twice, strongest"
ERRORS = planted_errors()
EACH = 17
"""Every attack is tried on two of the errors, other ones each time."""


def test_judges_that_always_agree_reach_supported_on_no_planted_error() -> None:
    attacks = [a for a in policy_attacks() if a.passage is None][::4]
    with judges_installed() as plugin:
        rows = attack_all(ERRORS, attacks, PANELS[TWO], EACH, plugin)
    assert len(rows) == 2 * len(attacks)
    # The judges do what they are told: only the evidence stands between them and the verdict.
    assert {row.majority_outcome for row in rows} == {Outcome.SUPPORTED}
    assert [row for row in rows if row.outcome is Outcome.SUPPORTED] == []


def test_a_poisoned_source_grounds_no_planted_error() -> None:
    poisoned = [a for a in policy_attacks() if a.passage is not None][:1]
    with judges_installed() as plugin:
        rows = attack_all(ERRORS[:4], poisoned, PANELS[THREE], 1, plugin)
    assert Counter(row.outcome for row in rows) == {Outcome.ABSTAINED: 4}


def test_the_same_judges_ground_a_step_that_says_what_the_vignette_says() -> None:
    said = [PolicyAttack("control", "the true sentence alone", "{v}")]
    with judges_installed() as plugin:
        rows = attack_all(ERRORS[:8], said, PANELS[TWO], 1, plugin)
    assert sum(row.outcome is Outcome.SUPPORTED for row in rows) >= 4
