"""What a run survives: each fault is injected into it, and what it ends with is held against a run that nothing befell.

    python benchmarks/endurance.py                            # all faults over 2,000 steps, 50 kills; 20 to 30 minutes
    python benchmarks/endurance.py kill disk --steps 200      # some of them
    python benchmarks/endurance.py memory --steps 200000      # memory alone, with a judge that asks no model

For every step the expected verdict (outcome, error type, route, reason, claim) is what an undisturbed run over the same
traces and the same server writes. *Lost*: no row, or `failed` where a verdict was expected. *Doubled*: a step with two
rows in the export, a trace whose tallies count a step twice, a run under two names. *Wrong*: another verdict than
expected. The server is tests/servers/model_server.py: the truth about judging is no matter here.

- `kill`: SIGKILL at random moments, drawn over calls answered and over the time that starting up takes; the same
  command again.
- `disk`: the ledger lies on a file system of its own (tmpfs, needs root) that is full, grows, is full again. Without
  root a limit on the size of files (RLIMIT_FSIZE) stands in for it; the table says which.
- `lock`: another process holds SQLite's write lock for seconds, once for longer than the busy timeout.
- `clock`: the wall clock of the run's process jumps every 200 ms, by up to ten years, both ways: a sitecustomize module
  puts shifted `time.time` and `datetime.now` in place before anything is imported. The monotonic clock does not jump.
- `flap`: the endpoint is down (503), hangs up (reset), and comes back, at random.
- `malformed`: 5 % of all replies are unusable, in seven ways.
- `backup`, `removed`, `outage`, `reading`, and by name `minute`: see benchmarks/endurance_faults.py.
- by name `memory-limit`, `read-only`, `temp`, `viewer`, `index`, `drip`, `swapped`, `swapped-named`:
  benchmarks/endurance_machine.py and benchmarks/endurance_replies.py.
- by name `postgres-killed`, `postgres-connections`, `postgres-backup`, `ray`: benchmarks/endurance_services.py.
- `all`: every row of the table.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
RESULTS = ROOT / "benchmarks" / "results"

from local_panel import GOOD, write_panel, write_traces  # noqa: E402
from servers.model_server import ModelServer  # noqa: E402

from benchmarks.endurance_faults import backup, outage, reading, removed  # noqa: E402
from benchmarks.endurance_machine import (  # noqa: E402
    full_temp,
    index_rebuilt,
    memory_limit,
    read_only_folder,
    viewed,
)
from benchmarks.endurance_replies import slow_drip, swapped  # noqa: E402
from benchmarks.endurance_services import (  # noqa: E402
    connection_limit,
    older_dump,
    server_killed,
    workers_killed,
)
from tracejury.graphs import RunTally, adjudicate  # noqa: E402
from tracejury.ledger import Ledger  # noqa: E402

SAYS: dict[str, dict[str, Any]] = {
    "<well>": {},
    "<wrong>": {"label": "error", "error_type": "factual"},
    "<unsafe>": {"label": "error", "error_type": "unsafe_management"},
    "<silent>": {"label": "unclear"},
    "<empty>": {"label": "no_claim", "quotes": []},
    "<misquoted>": {"quotes": [{"evidence": "vignette", "quote": "a fever for nine weeks"}]},
}
"""A word in a step, and what the server says of that step."""
UNUSABLE = ["prose", "label", "empty", "cut", "garbled", "length", "no-choices"]
PER_TRACE = 10
JUDGES = 2
STORE = "tracejury.db"
WARM = [
    "tracejury.graphs.adjudicate",
    "tracejury.graphs.batch",
    "tracejury.models.gateway",
    "tracejury.models.local.onnx",
]
ATTEMPTS = 80
"""The same command so often at most."""


class Command(Protocol):
    """The command line in a process of its own."""

    @property
    def code(self) -> int | None:
        """The exit code; None: it runs."""

    @property
    def pid(self) -> int: ...

    @property
    def stdout(self) -> str: ...

    @property
    def stderr(self) -> str: ...

    def kill(self) -> bool:
        """SIGKILL; return whether there was something to kill."""

    def wait(self) -> None: ...


class Said:
    """What a command wrote."""

    def __init__(self, folder: Path) -> None:
        said, self._out = tempfile.mkstemp(prefix="out-", dir=folder)
        os.close(said)

    @property
    def stdout(self) -> str:
        return Path(self._out).read_text()

    @property
    def stderr(self) -> str:
        return Path(self._out + ".err").read_text()


class Forked(Said):
    """Forked from a process that has imported everything: a kill costs no start of Python. It dies like any other."""

    def __init__(self, asked: list[str], folder: Path, limit: int | None) -> None:
        super().__init__(folder)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["benchmarks.endurance", "tracejury.console.app", "langchain_openai", *WARM])
        self._process = context.Process(target=_command_line, args=(asked, self._out, limit))
        self._process.start()

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> bool:
        self._process.kill()
        self._process.join()
        return self._process.exitcode == -signal.SIGKILL

    def wait(self) -> None:
        self._process.join()


class Fresh(Said):
    """A Python of its own, with a folder in front of its path."""

    def __init__(self, asked: list[str], folder: Path, site: Path) -> None:
        super().__init__(folder)
        main = "from tracejury.console.app import main; main()"
        with open(self._out, "w") as out, open(self._out + ".err", "w") as err:
            command = [sys.executable, "-c", main, *asked]
            self._process = subprocess.Popen(
                command, stdout=out, stderr=err, env=os.environ | {"PYTHONPATH": str(site)}
            )

    @property
    def code(self) -> int | None:
        return self._process.poll()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> bool:
        self._process.kill()
        return self._process.wait() == -signal.SIGKILL

    def wait(self) -> None:
        self._process.wait()


def _command_line(asked: list[str], out: str, limit: int | None) -> None:
    for path, number in ((out, 1), (out + ".err", 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    if limit is not None:
        # Python ignores SIGXFSZ, so that a write beyond it is an error as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    sys.argv = ["tracejury", *asked]
    from tracejury.console.app import main

    main()


class Verdict(NamedTuple):
    """What must be the same however often a run was disturbed."""

    outcome: str
    error_type: str | None
    route: str
    reason: str
    claim: bool


class Course:
    """One batch, one server, and a folder for each run over it."""

    def __init__(self, folder: Path, server: ModelServer, steps: int, seed: int = 0) -> None:
        self.folder, self.server, self.seed = folder, server, seed
        self.limit: int | None = None
        """Bytes that a file of the run may have."""
        self.stores: dict[Path, str] = {}
        """Place -> URL of its ledger, where that is no file of the place."""
        self.options: dict[Path, list[str]] = {}
        """Place -> further options of its runs."""
        self.panels: dict[Path, Path] = {}
        """Place -> its panel, where that is not the one of the other places."""
        draw = random.Random(seed)
        kinds = list(SAYS)
        texts = [
            [f"The cough has lasted three days in case {n}.{i} {draw.choice(kinds)}." for i in range(PER_TRACE)]
            for n in range(steps // PER_TRACE)
        ]
        self.steps = sum(map(len, texts))
        self.traces = write_traces(folder, texts)
        self.plain()
        self.calls = self.steps * JUDGES
        self.panel = self.panel_with()
        self.expected = self.undisturbed()

    def panel_with(self, **endpoint: float) -> Path:
        """Write the panel with these settings of its endpoint."""
        settings = {"max_attempts": 8, "timeout_s": 30.0, "deadline_s": 240.0, "max_concurrency": 8} | endpoint
        folder = Path(tempfile.mkdtemp(prefix="panel-", dir=self.folder))
        return write_panel(folder, self.server.url, endpoint=settings)

    def plain(self, **behaviour: Any) -> None:
        self.server.reset(reply=GOOD, reply_for=SAYS, latency_s=0.01, **behaviour)

    def undisturbed(self) -> dict[str, Verdict]:
        at = self.place("undisturbed")
        made = self.once(at)
        assert made.code == 0, made.stderr
        found = verdicts(self.store(at))
        assert len(found) == self.steps
        return {step: rows[0] for step, rows in found.items()}

    def place(self, name: str) -> Path:
        at = self.folder / name
        at.mkdir()
        return at

    def store(self, at: Path) -> str:
        return self.stores.get(at, f"sqlite:///{at}/{STORE}")

    def start(self, at: Path, *, site: Path | None = None) -> Command:
        """Give the command that starts the run, and takes it up again."""
        panel = self.panels.get(at, self.panel)
        asked = ["adjudicate", str(self.traces), "--panel", str(panel), "--store", self.store(at), "--json"]
        asked += self.options.get(at, [])
        return Fresh(asked, self.folder, site) if site else Forked(asked, self.folder, self.limit)

    def once(self, at: Path, *, site: Path | None = None) -> Command:
        command = self.start(at, site=site)
        command.wait()
        return command

    def finish(self, at: Path, *, site: Path | None = None) -> int:
        """Give the same command until it ends with 0; return how often."""
        for n in range(1, ATTEMPTS):
            made = self.once(at, site=site)
            if made.code == 0:
                return n
        raise RuntimeError(f"not done after {ATTEMPTS} times: {made.stderr[-2000:]}")

    def row(self, fault: str, at: Path, injected: int, **more: Any) -> dict[str, Any]:
        """Hold what stands in the ledger against what was expected."""
        found = verdicts(self.store(at))
        lost = [s for s in self.expected if s not in found or found[s][-1].outcome == "failed"]
        doubled = sum(len(rows) - 1 for rows in found.values()) + miscounted(self.store(at))
        wrong = [s for s, rows in found.items() if rows[-1].outcome != "failed" and rows[-1] != self.expected.get(s)]
        row = {"fault": fault, "injected": injected, "expected": len(self.expected)}
        row |= {"lost": len(lost), "doubled": doubled, "wrong": len(wrong)}
        # Replies that a provider would charge for, beyond the first to each prompt.
        row |= {"calls_paid_twice": sum(n - 1 for n in self.server.counts()["paid"].values())} | more
        print(json.dumps(row), flush=True)
        return row


def verdicts(store: str) -> dict[str, list[Verdict]]:
    """Return the verdicts of every step, as an export has them."""
    ledger = Ledger(store)
    found: dict[str, list[Verdict]] = {}
    for run in ledger.runs():
        for row in ledger.rows(run):
            told = Verdict(row.outcome, row.error_type, row.route, row.reason, row.claim)
            found.setdefault(row.step_id or row.trace_id, []).append(told)
    ledger.close()
    return found


def miscounted(store: str) -> int:
    """Return how many tallies of traces count another number of steps than the ledger has, and check a file's pages."""
    ledger = Ledger(store)
    with ledger.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            whole = connection.execute(text("PRAGMA integrity_check")).scalar_one()
            assert whole == "ok", whole
        wrong = connection.execute(
            text(
                "SELECT count(*) FROM tally t WHERE t.judged != (SELECT count(*) FROM deliberation d "
                "WHERE d.run_id = t.run_id AND d.trace_id = t.trace_id)"
            )
        ).scalar_one()
    ledger.close()
    return int(wrong)


def kill(course: Course, times: int) -> dict[str, Any]:
    """SIGKILL, at moments drawn over the calls that the run takes and the seconds that it takes to start."""
    course.plain()
    at, draw = course.place("kill"), random.Random(course.seed + 1)
    # The last twentieth is left, so that every kill finds something to kill.
    moments = sorted(draw.uniform(0, 0.95) for _ in range(times))
    killed, early = 0, 0
    for moment in moments:
        process = course.start(at)
        until = time.monotonic() + draw.uniform(0, 4) if draw.random() < 0.2 else None
        while process.code is None:
            if until is not None and time.monotonic() >= until:
                early += 1
                break
            if until is None and course.server.counts()["calls"] >= moment * course.steps * JUDGES:
                time.sleep(draw.uniform(0, 0.1))
                break
            time.sleep(0.01)
        killed += process.kill()
    again = course.finish(at)
    paid = course.server.counts()["paid"]
    twice = sum(n - 1 for n in paid.values())
    return course.row("kill -9", at, killed, by_time=early, commands=killed + again, calls_paid_twice=twice)


def disk(course: Course, times: int) -> dict[str, Any]:
    """A file system that is full, grows, and is full again."""
    course.plain()
    at = course.place("disk")
    with small_disk(course, at) as (grow, how):
        full = 0
        for n in range(times):
            made = course.once(at)
            assert made.code != 0, "the disk was large enough"
            assert "Traceback" not in made.stderr, made.stderr[-3000:]
            full += 1
            grow(n + 2)
        grow(None)
        again = course.finish(at)
        return course.row("disk full", at, full, how=how, commands=full + again, told=made.stderr.strip()[-200:])


@contextlib.contextmanager
def small_disk(course: Course, at: Path) -> Iterator[tuple[Callable[[int | None], None], str]]:
    """A file system of one MB over `at` that can grow by MBs; None: by as much as is needed."""

    def mount(size: str, *options: str) -> int:
        told = ["mount", "-t", "tmpfs", "-o", ",".join((*options, f"size={size}")), "tmpfs", str(at)]
        return subprocess.run(told, capture_output=True).returncode

    if os.geteuid() == 0 and mount("1m") == 0:
        try:
            yield lambda mb: mount("1g" if mb is None else f"{mb}m", "remount") and None, "tmpfs"
        finally:
            subprocess.run(["umount", "-l", str(at)], check=True)
        return

    def limit(mb: int | None) -> None:
        course.limit = None if mb is None else mb << 20

    limit(1)
    try:
        yield limit, "RLIMIT_FSIZE"
    finally:
        limit(None)


def lock(course: Course, times: int, longest_s: float) -> dict[str, Any]:
    """Another process has the write lock of SQLite."""
    course.plain()
    at, draw = course.place("lock"), random.Random(course.seed + 2)
    waits = [draw.uniform(0.2, 3) for _ in range(times - 1)] + [longest_s]
    draw.shuffle(waits)
    held: list[float] = []
    process = course.start(at)

    def hold() -> None:
        for n, wait in enumerate(waits):
            while course.server.counts()["calls"] < (n + 0.5) / len(waits) * course.steps * JUDGES * 0.9:
                if process.code is not None:
                    return
                time.sleep(0.02)
            code = "import sqlite3,sys,time; c = sqlite3.connect(sys.argv[1], 60, isolation_level=None)\n"
            code += "c.execute('BEGIN IMMEDIATE'); time.sleep(float(sys.argv[2])); c.execute('ROLLBACK')"
            subprocess.run([sys.executable, "-c", code, str(at / STORE), str(wait)], check=True)
            held.append(wait)

    holder = threading.Thread(target=hold)
    holder.start()
    process.wait()
    holder.join()
    assert process.code in (0, 2), process.stderr[-2000:]
    again = 0 if process.code == 0 else course.finish(at)
    longest = round(max(held, default=0), 1)
    return course.row("SQLite locked", at, len(held), longest_s=longest, commands=1 + again)


JUMPS = """
import datetime, random, threading, time
_draw, _shift = random.Random({seed}), [0.0]
_time = time.time
time.time = lambda: _time() + _shift[0]
class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(time.time(), tz)
    @classmethod
    def utcnow(cls):
        return datetime.datetime.utcfromtimestamp(time.time())
_plain, datetime.datetime = datetime.datetime, _Datetime
_Datetime.now.__func__.__globals__["datetime"] = type("datetime", (), dict(datetime=_plain))
def _jump():
    while True:
        time.sleep(0.2)
        _shift[0] = _draw.choice((-1, 1)) * 10 ** _draw.uniform(0, 8.5)
        with open({log!r}, "a") as log:
            log.write("x")
threading.Thread(target=_jump, daemon=True).start()
"""


def clock(course: Course, times: int) -> dict[str, Any]:
    """The wall clock jumps all the time, and the run is killed and taken up again in between."""
    course.plain()
    at, site = course.place("clock"), course.place("site")
    log = course.folder / "jumps"
    log.touch()
    commands = 0
    for n in range(times):
        (site / "sitecustomize.py").write_text(JUMPS.format(seed=n, log=str(log)))
        process = course.start(at, site=site)
        while course.server.counts()["calls"] < (n + 1) / (times + 1) * course.steps * JUDGES:
            if process.code is not None:
                break
            time.sleep(0.05)
        process.kill()
        commands += 1
    commands += course.finish(at, site=site)
    return course.row("clock jumps", at, len(log.read_text()), how="sitecustomize", commands=commands)


def flap(course: Course, times: int) -> dict[str, Any]:
    """The endpoint goes away and comes back."""
    course.plain()
    at, draw = course.place("flap"), random.Random(course.seed + 3)
    process, injected = course.start(at), 0
    while process.code is None:
        calls = course.server.counts()["calls"]
        if injected < times and calls >= injected / times * course.steps * JUDGES * 0.9:
            fault = draw.choice([{"down": True}, {"mode": "reset"}])
            course.server.set(**fault)
            injected += 1
            time.sleep(draw.uniform(0.2, 2))
            course.server.set(down=False, mode="ok")
        time.sleep(0.05)
    process.wait()
    assert process.code in (0, 2), process.stderr[-2000:]
    modes = course.server.counts()["modes"]
    again = 0 if process.code == 0 else course.finish(at)
    answered = {name: modes.get(name, 0) for name in ("503", "reset")}
    return course.row("endpoint flapping", at, injected, commands=1 + again, answered=answered)


def malformed(course: Course, share: float) -> dict[str, Any]:
    """Some replies cannot be used."""
    course.plain(bad_share=share, bad_modes=UNUSABLE, seed=course.seed)
    at = course.place("malformed")
    first = course.once(at)
    assert first.code in (0, 2), first.stderr[-2000:]
    failed = json.loads(first.stdout)["outcomes"]["failed"]
    again = 0 if first.code == 0 else course.finish(at)
    counts = course.server.counts()
    injected = sum(counts["modes"].get(mode, 0) for mode in UNUSABLE)
    part = round(injected / counts["calls"], 4)
    return course.row("malformed replies", at, injected, of_all_calls=part, failed_at_first=failed, commands=1 + again)


def memory(steps: int) -> dict[str, Any]:
    """Peak memory at growing numbers of steps of one run, with the panel that asks no model."""
    marks = [n for n in (1_000, 10_000, 50_000, 200_000) if n <= steps]
    found: list[dict[str, float]] = []
    started, busy = time.monotonic(), time.process_time()

    def peak_mib() -> float:
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "traces.jsonl").open("w") as file:
            for n in range(steps // PER_TRACE):
                file.write(json.dumps(_question(n)) + "\n" + json.dumps(_trace(n)) + "\n")
        tally = RunTally()

        async def main() -> None:
            run = asyncio.create_task(
                adjudicate(folder / "traces.jsonl", "data", store=f"sqlite:///{folder}/l.db", tally=tally)
            )
            while not run.done():
                await asyncio.sleep(0.1)
                while len(found) < len(marks) and tally.steps >= marks[len(found)]:
                    worked = round(time.process_time() - busy, 1)
                    wall = round(time.monotonic() - started, 1)
                    found.append({"steps": tally.steps, "peak_mib": peak_mib(), "wall_s": wall, "cpu_s": worked})
                    print(json.dumps(found[-1]), flush=True)
            await run

        asyncio.run(main())
        assert tally.steps == steps, tally
        size = (folder / "l.db").stat().st_size
    # b of `figure ~ steps ** b`, by least squares on logarithms.
    exponents = {
        key: round(float(np.polyfit(*(np.log([row[k] for row in found]) for k in ("steps", key)), 1)[0]), 3)
        for key in ("peak_mib", "wall_s", "cpu_s")
        if len(found) > 1
    }
    return {
        "panel": "data",
        "steps": steps,
        "growth": found,
        "exponents": exponents,
        "ledger_mib": round(size / 2**20, 1),
    }


def _question(n: int) -> dict[str, Any]:
    stem = f"A {20 + n % 60}-year-old has had a cough for three days. Serum potassium is {3 + n % 30 / 10:.1f} mEq/L."
    return {
        "kind": "question",
        "id": f"q{n}",
        "stem": f"{stem} Case {n}.",
        "options": {"A": "x", "B": "y"},
        "gold": "A",
    }


def _trace(n: int) -> dict[str, Any]:
    steps = [f"The potassium of {3 + (n + i) % 30 / 10:.1f} mEq/L speaks for cause {i}." for i in range(PER_TRACE)]
    text = "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1)) + "\nThe answer is A."
    return {"kind": "trace", "question": f"q{n}", "model": "m", "arm": "base", "text": text}


FAULTS: dict[str, Callable[[Course, float], dict[str, Any]]] = {
    # `scale` is 1 for the full measurement over 2,000 steps.
    "kill": lambda course, scale: kill(course, max(2, round(50 * scale))),
    "disk": lambda course, scale: disk(course, max(1, round(5 * scale))),
    "lock": lambda course, scale: lock(course, max(2, round(10 * scale)), 70 if scale >= 1 else 1),
    "clock": lambda course, scale: clock(course, max(1, round(5 * scale))),
    "flap": lambda course, scale: flap(course, max(2, round(20 * scale))),
    "malformed": lambda course, _: malformed(course, 0.05),
    "backup": lambda course, _: backup(course),
    "removed": lambda course, _: removed(course),
    "outage": lambda course, scale: outage(course, 60 if scale >= 1 else 3),
    "reading": lambda course, _: reading(course),
}


BY_HAND: dict[str, Callable[[Course, float], dict[str, Any]]] = {
    "minute": lambda course, _: outage(course, 60),
    "temp": lambda course, _: full_temp(course),
    "memory-limit": lambda course, _: memory_limit(course),
    "read-only": lambda course, _: read_only_folder(course),
    "viewer": lambda course, _: viewed(course),
    "index": lambda course, _: index_rebuilt(course),
    "drip": lambda course, _: slow_drip(course),
    "swapped": lambda course, _: swapped(course, repeats_ids=False),
    "swapped-named": lambda course, _: swapped(course, repeats_ids=True),
    "postgres-killed": lambda course, scale: server_killed(course, max(2, round(5 * scale))),
    "postgres-connections": lambda course, _: connection_limit(course),
    "postgres-backup": lambda course, _: older_dump(course),
    "ray": lambda course, _: workers_killed(course),
}
"""Faults that take long, or need root, Postgres or Ray: by name only."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", nargs="*", choices=[*FAULTS, *BY_HAND, "all", "memory", []], help="default: every fault, not memory"
    )
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    command = " ".join(["python", "benchmarks/endurance.py", *sys.argv[1:]])
    about = {"command": command, "commit": commit, "n": asked.steps}
    target = RESULTS / "endurance.json"
    known = json.loads(target.read_text()) if target.exists() else {"faults": {}, "memory": {}}
    if asked.what == ["memory"]:
        known["memory"] = about | memory(asked.steps)
    else:
        with ModelServer() as server, tempfile.TemporaryDirectory() as folder:
            course = Course(Path(folder), server, asked.steps, asked.seed)
            for name in [*FAULTS, *BY_HAND] if asked.what == ["all"] else asked.what or FAULTS:
                known["faults"][name] = about | (FAULTS | BY_HAND)[name](course, asked.steps / 2_000)
                target.write_text(json.dumps(known, indent=1) + "\n")
    target.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
