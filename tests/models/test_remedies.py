"""Every reason why a call fails has a remedy to show."""

from __future__ import annotations

import pytest

from tracejury.models import FailureReason, remedy_for


@pytest.mark.parametrize("reason", FailureReason)
def test_a_failure_has_a_remedy(reason: FailureReason) -> None:
    assert remedy_for(reason)
