"""Benchmarks are run by hand; here each is at least imported, so that a renamed function does not break it unseen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONAL = {"atheris"}
"""Packages that only a benchmark needs, and whoever runs it installs."""
IMPORT_ALL = """
import importlib, json, sys
missing, broken = [], {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name.startswith(("tracejury", "benchmarks")):
            broken[name] = str(error)
        else:
            missing.append(error.name)
    except ImportError as error:
        broken[name] = str(error)
from benchmarks import orchestration
for contender in (orchestration.KNOWN_STEPS, "bare LangGraph"):
    orchestration.warm(contender)
print(json.dumps([missing, broken]))
"""


def test_every_benchmark_imports() -> None:
    files = [p for p in sorted((ROOT / "benchmarks").rglob("*.py")) if not p.name.startswith("__")]
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in files]
    assert len(names) > 40
    paths = [str(ROOT / folder) for folder in ("benchmarks", "tests", "tests/traces", ".")]
    code = f"import sys; sys.path[:0] = {paths!r}\n{IMPORT_ALL}"
    process = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, cwd=ROOT)
    assert process.returncode == 0, process.stderr
    missing, broken = json.loads(process.stdout.splitlines()[-1])
    assert broken == {}
    assert set(missing) <= OPTIONAL
