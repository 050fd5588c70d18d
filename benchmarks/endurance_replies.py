"""Faults of benchmarks/endurance.py in replies: they come drop by drop, or are those of other requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.endurance_faults import paid_twice

if TYPE_CHECKING:
    from benchmarks.endurance import Course

SHARE = 0.05


def slow_drip(course: Course) -> dict[str, Any]:
    """Some replies come byte by byte and would take 20 minutes: the time limit of an attempt ends them."""
    course.plain(bad_share=SHARE, bad_modes=["drip"], seed=course.seed)
    at = course.place("drip")
    course.panels[at] = course.panel_with(timeout_s=2.0)
    first = course.once(at)
    assert first.code in (0, 2), first.stderr[-2000:]
    failed = json.loads(first.stdout)["outcomes"]["failed"]
    again = 0 if first.code == 0 else course.finish(at)
    injected = course.server.counts()["modes"].get("drip", 0)
    return course.row(
        "replies drop by drop", at, injected, failed_at_first=failed, commands=1 + again,
        calls_paid_twice=paid_twice(course) + injected,
    )  # fmt: skip


def swapped(course: Course, *, repeats_ids: bool) -> dict[str, Any]:
    """Some requests are answered with the reply to the request before them, which may be another step's.

    A server that repeats the names of requests gives itself away.
    """
    course.plain(bad_share=SHARE, bad_modes=["swapped"], seed=course.seed, repeats_ids=repeats_ids)
    at = course.place("swapped-named" if repeats_ids else "swapped")
    first = course.once(at)
    again = 0 if first.code == 0 else course.finish(at)
    injected = course.server.counts()["modes"].get("swapped", 0)
    fault = f"replies of other requests{', ids repeated' if repeats_ids else ''}"
    return course.row(fault, at, injected, commands=1 + again)
