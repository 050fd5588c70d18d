"""The number of cores and the memory that are free for a model."""

from __future__ import annotations

import math
import os
from pathlib import Path


def free_cores() -> int:
    """Return the number of cores that this process may use and that are idle, at least one.

    A model with more threads than idle cores stalls: its threads wait for each other at every layer.
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
    # In a container the load average is that of the host, so it never takes more than all cores but one.
    return max(1, usable - round(busy * usable / max(usable, os.cpu_count() or 1)))


def _quota() -> float | None:
    """Return the control group's CPU quota in cores; None: there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def available_bytes() -> int | None:
    """Return the bytes of memory that a new process can have, within the control group's limit; None: unknown."""
    limits: list[int] = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(int(line.split()[1]) * 1024)
    except OSError:
        return None
    try:
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            stats = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            # Cached file pages count as used, but the kernel frees them on demand.
            used = int((group / "memory.current").read_text()) - int(stats.get("inactive_file", 0))
            limits.append(max(0, int(limit) - used))
    except (OSError, ValueError):
        pass  # no control group, or an older kind: the machine's figure stands
    return min(limits, default=None)
