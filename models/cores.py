"""How many cores are free for a model."""

from __future__ import annotations

import math
import os
from pathlib import Path


def free_cores() -> int:
    """Return the cores that this process may use and that nobody keeps busy, at least one.

    A model with more threads than free cores does not run slower by that share, it stalls: its threads wait for each
    other at every layer.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        allowed = os.cpu_count() or 1
    quota = _quota()
    usable = allowed if quota is None else min(allowed, max(1, math.floor(quota)))
    try:
        busy = os.getloadavg()[0]
    except OSError:
        busy = 0.0
    # The load of other machines in a container's host does not concern us, so it never takes more than all but one.
    return max(1, usable - round(busy * usable / max(usable, os.cpu_count() or 1)))


def _quota() -> float | None:
    """Return the control group's CPU quota in cores; None: there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)
