"""Ask the viewer whatever its OpenAPI document allows, by schemathesis, and count the errors of the server's own.

    python -m venv /tmp/st && /tmp/st/bin/pip install schemathesis
    python -m benchmarks.fuzz.viewer /tmp/st/bin/schemathesis --examples 100

schemathesis has an environment of its own: it wants jsonschema-rs 0.60, and LangGraph's server, among the tests'
packages, one below 0.45.
tests/console/test_viewer_fuzz.py asks the same on every run, with hypothesis alone. Result:
benchmarks/results/schemathesis.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from jury_of_words import batch_of
from made_ledger import make_run
from viewer_at_work import serving

from tracejury.console.viewer import create_app
from tracejury.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "schemathesis.json"


def document(ledger: Ledger) -> dict[str, Any]:
    """Return the viewer's OpenAPI document, with names that are in the ledger as examples of its parameters."""
    run = ledger.run("r")
    trace = next(trace.id for trace, _, _ in ledger.traces(run))
    there = {"run": "r", "trace": trace, "expert": "anna", "name": "viewer.css", "evidence": "vignette", "index": 0}
    made: dict[str, Any] = create_app(ledger).app.openapi()  # type: ignore[attr-defined]
    for methods in made["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in there:
                    parameter["examples"] = {"there": {"value": there[parameter["name"]]}}
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("schemathesis", type=Path, help="the command, in its own environment")
    parser.add_argument("--examples", type=int, default=100, help="fuzzed requests an operation, at most")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{folder}/l.db")
        make_run(ledger, batch_of(6), name="r")
        described, operations = Path(folder) / "openapi.json", document(ledger)
        described.write_text(json.dumps(operations))
        with serving(ledger) as site:
            command = [str(asked.schemathesis.absolute()), "run", str(described), "--url", site]
            # Posts are only taken from the site's own pages; replies are pages, which the document says nothing of.
            command += ["--header", f"Origin: {site}", "--checks", "not_a_server_error", "--no-color"]
            command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(asked.examples)]
            done = subprocess.run([*command, "--seed", str(asked.seed)], capture_output=True, text=True, cwd=folder)
    print(done.stdout, done.stderr)
    cases = re.search(r"(\d[\d,]*) generated, (\d[\d,]*) passed", done.stdout)
    if cases is None:
        sys.exit("schemathesis told no number of requests: see above")
    requests, passed = (int(n.replace(",", "")) for n in cases.groups())
    body = {
        "command": f"python -m benchmarks.fuzz.viewer schemathesis --examples {asked.examples} --seed {asked.seed}",
        "commit": subprocess.check_output(["git", "rev-parse", "HEAD"], text=True, cwd=ROOT).strip(),
        "schemathesis": done.stdout.split()[1],
        "operations": sum(map(len, operations["paths"].values())),
        "requests": requests,
        "server_errors": requests - passed,
    }
    RESULT.write_text(json.dumps(body, indent=1) + "\n")
    sys.exit(3 if done.returncode else 0)


if __name__ == "__main__":
    main()
