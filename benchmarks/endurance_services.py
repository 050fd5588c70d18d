"""Faults of benchmarks/endurance.py that befall services: a Postgres ledger, and workers on Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postgres_at_work import Postgres, postgres

from benchmarks.endurance_faults import judged_now, paid_twice
from tracejury.ledger import Ledger

if TYPE_CHECKING:
    from benchmarks.endurance import Command, Course

AWAY_S = 3.0
WORKERS = 3
SOURCES = Path(__file__).resolve().parents[1] / "src"


def server_killed(course: Course, times: int) -> dict[str, Any]:
    """Postgres is stopped as in a crash, and started again after seconds, several times in one run."""
    course.plain()
    at, crashes = course.place("postgres-killed"), 0
    with postgres() as server:
        course.stores[at] = server.database()
        process = course.start(at)
        for n in range(times):
            if not _reaches(course, process, (n + 0.5) / times * 0.9):
                break
            server.kill()
            time.sleep(AWAY_S)
            server.start()
            crashes += 1
        process.wait()
        again = 0 if process.code == 0 else course.finish(at)
        return course.row(
            "Postgres killed", at, crashes, away_s=AWAY_S, commands=1 + again, calls_paid_twice=paid_twice(course)
        )


def connection_limit(course: Course) -> dict[str, Any]:
    """The ledger's connections are ended, and others take every place that the server has, for seconds."""
    course.plain()
    at = course.place("postgres-connections")
    with postgres() as server, _limited_user(server) as (store, occupied):
        course.stores[at] = store
        process = course.start(at)
        injected = 0
        for n in range(3):
            if not _reaches(course, process, (n + 0.5) / 3 * 0.9):
                break
            with occupied():
                time.sleep(AWAY_S)
            injected += 1
        process.wait()
        again = 0 if process.code == 0 else course.finish(at)
        return course.row(
            "Postgres without a free connection", at, injected, away_s=AWAY_S, commands=1 + again,
            calls_paid_twice=paid_twice(course),
        )  # fmt: skip


@contextmanager
def _limited_user(server: Postgres) -> Iterator[tuple[str, Any]]:
    """Give the URL of a database as a user whose connections can be refused: a superuser's never are."""
    import psycopg

    database = server.database().rsplit("/", 1)[1]
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE jury LOGIN")
        admin.execute(f"ALTER DATABASE {database} OWNER TO jury")

        @contextmanager
        def occupied() -> Iterator[None]:
            # No place is left, and the places in use are taken away: every commit needs a new connection.
            admin.execute("ALTER ROLE jury CONNECTION LIMIT 0")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jury'")
            yield
            admin.execute("ALTER ROLE jury CONNECTION LIMIT -1")

        yield f"postgresql://jury@127.0.0.1:{server.port}/{database}", occupied


def older_dump(course: Course) -> dict[str, Any]:
    """A Postgres ledger is restored from a dump of half the run: the same command judges what the dump lacks."""
    course.plain()
    at = course.place("postgres-backup")
    with postgres() as server:
        course.stores[at] = store = server.database()
        process = course.start(at)
        assert _reaches(course, process, 0.5), process.stderr[-2000:]
        dump = at / "half.sql"
        subprocess.run(["pg_dump", "--no-owner", "-f", str(dump), store], check=True)
        process.wait()
        assert process.code == 0, process.stderr[-2000:]
        calls = course.server.counts()["calls"]
        course.stores[at] = restored = server.database()
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), restored], check=True, stdout=-3)
        ledger = Ledger(restored)
        lacking = course.steps - ledger.count_judged(ledger.run("last"))
        ledger.close()
        again = course.once(at)
        return course.row(
            "Postgres restored from an older dump", at, 1, commands=2, steps_lacking=lacking,
            steps_reported=judged_now(again), calls_for_them=course.server.counts()["calls"] - calls,
            calls_paid_twice=paid_twice(course),
        )  # fmt: skip


def workers_killed(course: Course) -> dict[str, Any]:
    """Two of three workers on Ray get SIGKILL in mid-run."""
    course.plain(paused=True)
    at = course.place("ray")
    course.options[at] = ["--backend", "ray", "--workers", str(WORKERS), "--no-probe"]
    # Ray's workers are nice by default, and never start on a machine with much else to do.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
    process = course.start(at, site=SOURCES)
    while process.code is None and f"{WORKERS} workers" not in process.stderr:
        time.sleep(0.2)
    course.server.set(paused=False)
    killed = 0
    for n in range(2):
        if not _reaches(course, process, (n + 1) * 0.25):
            break
        victims = _workers_of(process.pid)
        assert victims, "no worker of Ray was found"
        os.kill(victims[0], signal.SIGKILL)
        killed += 1
    process.wait()
    again = 0 if process.code == 0 else course.finish(at)
    return course.row(
        "two of three Ray workers killed", at, killed, commands=1 + again, calls_paid_twice=paid_twice(course)
    )


def _workers_of(pid: int) -> list[int]:
    """Return the processes of Ray's workers that descend from `pid`."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
        except (OSError, StopIteration):
            continue
        children.setdefault(int(parent.split()[1]), []).append(int(status.parent.name))
    below, found = [pid], list[int]()
    while below:
        one = below.pop()
        below += children.get(one, [])
        try:
            title = Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::") and b"Worker" in title and b"IDLE" not in title:
            found.append(one)
    return found


def _reaches(course: Course, process: Command, share: float) -> bool:
    """Wait until this share of the run's calls was asked; False: it ended before."""
    while process.code is None:
        if course.server.counts()["calls"] >= share * course.calls:
            return True
        time.sleep(0.02)
    return False
