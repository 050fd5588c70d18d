"""HTML read by our own reader and by selectolax: CPU seconds and memory on pages made to cost much.

    pip install --target DIR selectolax
    python benchmarks/html_reading.py --selectolax DIR

Each page is read in a process of its own, which is given up after a minute (`null`). What is compared is the visible
text of a whole page, as retrieval/sources/html_text.py and `tree.body.text()` return it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

RESULT = Path(__file__).resolve().parent / "results" / "html_reading.json"
PATIENCE_S = 60
PAGES = {
    "100,000 comments begun": "<p>a</p>" + "<!--" * 100_000,
    "50,000 <b> begun": "<b>x" * 50_000,
    "50,000 <a><b></a>": "<a><b>x</a>" * 50_000,
    "200,000 <div> in one another": "<div>" * 200_000 + "x",
    "20,000 <table><b>": "<table><b>x" * 20_000,
    "50,000 <p><font>": "<p><font>x" * 50_000,
    "an attribute of 1 MB": f"<p title='{'a' * 1_000_000}'>x</p>",
    "50,000 <select><option>": "<select><option>x" * 50_000,
    "100,000 </p>": "</p>" * 100_000 + "x",
    "5 MB of paragraphs": "<p>Start with paracetamol &amp; rest, for 3 days.</p>\n" * 100_000,
}


def read_once(parser: str, page: str) -> dict[str, float]:
    """Read a page in this process."""
    html = PAGES[page]
    if parser == "own":
        from tracejury.retrieval.sources.html_text import html_text

        before, began = _peak_mib(), time.process_time()
        html_text(html)
    else:
        from selectolax.lexbor import LexborHTMLParser

        before, began = _peak_mib(), time.process_time()
        body = LexborHTMLParser(html).body
        assert body is not None
        body.text(separator="\n")
    return {"cpu_s": round(time.process_time() - began, 2), "mib": round(_peak_mib() - before)}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(parser: str, page: str, folder: str) -> dict[str, float] | None:
    """Read a page in a process of its own; None: it took more than a minute."""
    command = [sys.executable, __file__, "--selectolax", folder, "--once", parser, page]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except subprocess.TimeoutExpired:
        return None
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selectolax", required=True, metavar="DIR")
    parser.add_argument("--once", nargs=2, metavar=("PARSER", "PAGE"))
    options = parser.parse_args()
    sys.path.append(options.selectolax)
    if options.once:
        print(json.dumps(read_once(*options.once)))
        return
    rows: dict[str, Any] = {}
    for page in PAGES:
        rows[page] = {name: in_a_process(name, page, options.selectolax) for name in ("own", "selectolax")}
        print(page, rows[page], flush=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    version = next(d.version for d in distributions(path=[options.selectolax]) if d.name == "selectolax")
    about = {"command": "python benchmarks/html_reading.py --selectolax DIR", "commit": commit, "selectolax": version}
    RESULT.write_text(json.dumps(about | {"n": len(PAGES), "pages": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
