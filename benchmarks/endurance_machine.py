"""Faults of benchmarks/endurance.py that befall the machine: memory, folders, other programs beside the run."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.endurance_faults import paid_twice

if TYPE_CHECKING:
    from benchmarks.endurance import Course

SOURCES = Path(__file__).resolve().parents[1] / "src"
MAIN = "from tracejury.console.app import main; main()"
HEADROOM_MB = (0, 0.5, 1)
PLACES = 8
"""Calls of a run that are in flight at once."""


def memory_limit(course: Course) -> dict[str, Any]:
    """The memory of the run's process is limited to what it has, and a little more, in mid-run."""
    course.plain()
    at, ends, tracebacks = course.place("memory-limit"), list[str](), 0
    for headroom in HEADROOM_MB:
        before = course.server.counts()["calls"]
        process = course.start(at, site=SOURCES)
        while process.code is None and course.server.counts()["calls"] < before + course.calls / 5:
            time.sleep(0.02)
        if process.code is not None:
            break
        status = Path(f"/proc/{process.pid}/status").read_text()
        data_kb = re.search(r"VmData:\s+(\d+)", status)
        assert data_kb is not None
        limit = (int(data_kb[1]) << 10) + int(headroom * 2**20)
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, limit))
        process.wait()
        ends.append(f"{process.code}: {process.stderr.strip()[-120:]}")
        tracebacks += "Traceback" in process.stderr
    again = course.finish(at)
    return course.row(
        "memory limit", at, len(ends), commands=len(ends) + again, ends=ends, tracebacks=tracebacks,
        calls_paid_twice=paid_twice(course),
    )  # fmt: skip


def read_only_folder(course: Course) -> dict[str, Any]:
    """The ledger's folder is read-only when the run is to be resumed (needs root, for a mount)."""
    course.plain()
    at = course.place("read-only")
    process = course.start(at)
    while process.code is None and course.server.counts()["calls"] < course.calls / 2:
        time.sleep(0.02)
    process.kill()
    if subprocess.run(["mount", "--bind", str(at), str(at)], capture_output=True).returncode != 0:
        raise SystemExit("a folder is made read-only by a mount, which needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(at)], check=True)
        refused = course.once(at)
    finally:
        subprocess.run(["umount", str(at)], check=True)
    assert refused.code not in (None, 0)
    assert "Traceback" not in refused.stderr, refused.stderr[-2000:]
    again = course.finish(at)
    return course.row(
        "read-only folder", at, 1, commands=2 + again, message=refused.stderr.strip()[-200:],
        calls_paid_twice=paid_twice(course),
    )  # fmt: skip


def viewed(course: Course) -> dict[str, Any]:
    """The viewer serves its pages of the run while it is written."""
    course.plain()
    _last(course, 60)
    at = course.place("viewer")
    process = course.start(at)
    while process.code is None and course.server.counts()["calls"] < course.calls / 10:
        time.sleep(0.02)
    command = ["view", "last", "--store", course.store(at), "--port", "0"]
    pages: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *command], stderr=subprocess.PIPE, text=True, env=_with(PYTHONPATH=str(SOURCES))
    ) as viewer:
        assert viewer.stderr is not None
        address = re.search(r"(http://\S+?)/runs/(\S+?)\s", viewer.stderr.readline() + " ")
        assert address, "the viewer did not start"
        base, run = address[1], address[2]
        places = [f"/runs/{run}", f"/runs/{run}/traces", f"/runs/{run}/steps", f"/runs/{run}/judges", "/"]
        while process.code is None:
            for place in places:
                pages.append(_status(base + place))
        viewer.terminate()
    process.wait()
    again = 0 if process.code == 0 else course.finish(at)
    faults = sum(status != 200 for status in pages)
    return course.row(
        "viewed while it is written", at, len(pages), commands=1 + again, pages_that_failed=faults,
        calls_paid_twice=paid_twice(course),
    )  # fmt: skip


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as reply:
            reply.read()
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def index_rebuilt(course: Course) -> dict[str, Any]:
    """The index that the run reads is built anew by other processes in mid-run, the last time of other documents."""
    course.plain()
    _last(course, 90)
    at = course.place("index")
    documents, index = at / "documents", at / "index"
    documents.mkdir()
    for n in range(40):
        (documents / f"{n}.md").write_text(f"# Cough {n}\n\nA cough of {n} days is called acute below three weeks.\n")
    build = ["index", "build", "documents", "--set", f"path={documents}", "--index", str(index)]
    _command(build)
    course.panels[at] = _with_source(course.panel, at)
    course.options[at] = ["--index", str(index)]
    process = course.start(at)
    builds = 0
    while process.code is None and course.server.counts()["calls"] < course.calls / 10:
        time.sleep(0.02)
    for n in range(3):
        if process.code is not None:
            break
        if n == 2:
            (documents / "0.md").write_text("# Fever\n\nA fever above 38 degrees is treated.\n")
        _command([*build, "--force"])
        builds += 1
    process.wait()
    assert process.code == 0, process.stderr[-2000:]
    return course.row("index rebuilt in mid-run", at, builds, commands=1, calls_paid_twice=paid_twice(course))


def _last(course: Course, seconds: float) -> None:
    """Let replies take so long that a run outlasts what is started beside it."""
    course.server.set(latency_s=seconds * PLACES / course.calls)


def _with_source(panel: Path, at: Path) -> Path:
    body = yaml.safe_load(panel.read_text())
    path = at / "panel.yaml"
    path.write_text(yaml.safe_dump(body | {"retrieval": {"sources": ["documents"]}}))
    return path


def _command(arguments: list[str]) -> None:
    command = [sys.executable, "-c", MAIN, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=_with(PYTHONPATH=str(SOURCES)))
    assert done.returncode == 0, done.stderr[-2000:]


def _with(**values: str) -> dict[str, str]:
    return os.environ | values


def full_temp(course: Course) -> dict[str, Any]:
    """The folder for temporary files is full (needs root, for a file system of its own)."""
    course.plain()
    at = course.place("temp")
    full = tempfile.mkdtemp(prefix="tracejury-full-")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full], capture_output=True).returncode
    try:
        (Path(full) / "ballast").write_bytes(b"x" * 50_000)
        with _environment(TMPDIR=full, SQLITE_TMPDIR=full):
            process = course.once(at, site=SOURCES)
    finally:
        if mounted == 0:
            subprocess.run(["umount", "-l", full], check=True)
        shutil.rmtree(full, ignore_errors=True)
    assert "Traceback" not in process.stderr, process.stderr[-2000:]
    again = 0 if process.code == 0 else course.finish(at)
    told = process.stderr.strip()[-200:] if process.code else ""
    return course.row(
        "temporary folder full", at, int(mounted == 0), commands=1 + again, first_exit=process.code, message=told,
        calls_paid_twice=paid_twice(course),
    )  # fmt: skip


class _environment:
    def __init__(self, **values: str) -> None:
        self._values, self._before = values, dict(os.environ)

    def __enter__(self) -> None:
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name in self._values:
            os.environ.pop(name)
        os.environ.update(self._before)
