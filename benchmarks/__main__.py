"""The quick benchmarks, one after another: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
QUICK = (
    ("answers.py",),
    ("sentences.py",),
    ("data_judge.py",),
    ("speed.py",),
    ("orchestration.py", "--rounds", "1"),
)

failed = [name for name, *rest in QUICK if subprocess.run([sys.executable, HERE / name, *rest]).returncode]
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
