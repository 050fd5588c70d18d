"""More faults of benchmarks/endurance.py: the ledger goes or grows older, the server is away, others read meanwhile."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracejury.ledger import Ledger

if TYPE_CHECKING:
    from benchmarks.endurance import Command, Course

STORE = "tracejury.db"


def paid_twice(course: Course) -> int:
    return sum(n - 1 for n in course.server.counts()["paid"].values())


def judged_now(command: Command) -> int:
    """Return how many steps a finished command says that it has judged."""
    assert command.code == 0, command.stderr[-2000:]
    return int(json.loads(command.stdout)["judged_now"])


def _half_way(course: Course, at: Path) -> Command:
    """Start the run, and return once about half of its calls are made."""
    process = course.start(at)
    while process.code is None and course.server.counts()["calls"] < course.steps:
        time.sleep(0.02)
    return process


def _remove_ledger(at: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{at / STORE}{ending}").unlink(missing_ok=True)


def backup(course: Course) -> dict[str, Any]:
    """The ledger is restored from a backup of half the run: the same command judges what it lacks, and counts it."""
    course.plain()
    at = course.place("backup")
    process = _half_way(course, at)
    with sqlite3.connect(at / STORE) as ledger, sqlite3.connect(at / "backup.db") as copy:
        ledger.backup(copy)
    process.wait()
    course.finish(at)
    calls = course.server.counts()["calls"]
    _remove_ledger(at)
    shutil.copyfile(at / "backup.db", at / STORE)
    with sqlite3.connect(at / STORE) as ledger:
        (there,) = ledger.execute("SELECT count(*) FROM deliberation").fetchone()
    again = course.once(at)
    return course.row(
        "older backup", at, 1, commands=3, steps_lacking=course.steps - there, steps_reported=judged_now(again),
        calls_for_them=course.server.counts()["calls"] - calls, calls_paid_twice=paid_twice(course),
    )  # fmt: skip


def removed(course: Course) -> dict[str, Any]:
    """The ledger is removed in mid-run: the run ends at its next commit, and the same command begins anew."""
    course.plain()
    at = course.place("removed")
    process = _half_way(course, at)
    _remove_ledger(at)
    process.wait()
    assert process.code not in (None, 0), "the run did not notice"
    calls = course.server.counts()["calls"]
    assert "was removed" in process.stderr, process.stderr[-2000:]
    assert "Traceback" not in process.stderr
    again = course.finish(at)
    # The run that begins anew has fences of its own, so that its prompts are others: all calls of before are lost.
    return course.row("ledger removed", at, 1, commands=1 + again, calls_paid_twice=calls)


def outage(course: Course, seconds: float) -> dict[str, Any]:
    """The server answers 503 for a while."""
    course.plain()
    at = course.place("outage")
    process = _half_way(course, at)
    course.server.set(down=True)
    time.sleep(seconds)
    course.server.set(down=False)
    process.wait()
    again = 0 if process.code == 0 else course.finish(at)
    answered = course.server.counts()["modes"].get("503", 0)
    return course.row(f"503 for {seconds:.0f} s", at, answered, commands=1 + again, calls_paid_twice=paid_twice(course))


def reading(course: Course) -> dict[str, Any]:
    """Three readers go through all rows of the ledger, over and over, while the run writes it."""
    course.plain()
    # Replies that take a while: the run outlasts the start of its readers, on a busy machine too.
    course.server.set(latency_s=0.3)
    at = course.place("reading")
    process = course.start(at)
    reads, faults = [0], list[str]()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            if not (at / STORE).is_file():
                time.sleep(0.05)
                continue
            try:
                ledger = Ledger(f"sqlite:///{at / STORE}")
                reads[0] += sum(1 for run in ledger.runs() for _ in ledger.rows(run)) > 0
                ledger.close()
            except Exception as fault:  # noqa: BLE001 - every fault of a reader is a finding
                faults.append(f"{type(fault).__name__}: {fault}")
                time.sleep(0.05)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    process.wait()
    done.set()
    for reader in readers:
        reader.join()
    again = 0 if process.code == 0 else course.finish(at)
    return course.row(
        "read while writing", at, reads[0], commands=1 + again, readers_faults=len(faults), first=faults[:1],
        calls_paid_twice=paid_twice(course),
    )  # fmt: skip
