"""What a quote leaves out of its sentence: this package's rules beside nlplite's (negation) and pint's (units).

    python benchmarks/statements.py [--quotes FILE] [--data ../shared/data]

On `tests/retrieval/quoted_sentences.jsonl` (written beside the rules, so an upper bound), on any other file of rows
{evidence, quote, must_verify} with `--quotes`, and on the findings of `negation.json`, marked by hand before the rules
were written. A quote is right where it counts and should, or does not count and should not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pint
from negation import sentence
from nlplite import get_assertion_status

from tracejury.retrieval import check_quote, content_stems, denials, read_statement
from tracejury.traces import split_sentences

HERE = Path(__file__).parent
CASES = HERE.parent / "tests" / "retrieval" / "quoted_sentences.jsonl"
_CUE = re.compile(
    r"\b(no|not|denie[sd]|without|never|negative|absent|absence|lacks?|free|unremarkable|neither|nor|avoid|contraindicated"
    r"|cannot)\b|n't",
    re.IGNORECASE,
)
_MEASURE = re.compile(r"(\d+(?:\.\d+)?)\s?([a-zA-Z%µ]+)?$")
_UNITS = pint.UnitRegistry(cache_folder=None)
Refuses = Callable[[str, str], bool]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quotes", type=Path, help="rows {evidence, quote, must_verify}, JSON lines")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "statements.json")
    args = parser.parse_args()
    cases = [
        (row["evidence"], row["quote"], row.get("states", row.get("must_verify")))
        for row in map(json.loads, (args.quotes or CASES).read_text("utf-8").splitlines())
    ]
    ways: dict[str, Refuses] = {
        "this package": not_counted,
        "words alone and nlplite": lambda evidence, quote: quote not in evidence or denied_by_nlplite(evidence, quote),
        "words alone and pint": lambda evidence, quote: quote not in evidence or cut_by_pint(evidence, quote),
        "words alone": lambda evidence, quote: quote not in evidence,
    }
    result: dict[str, Any] = {"quotes": {name: _right(refuses, cases) for name, refuses in ways.items()}}
    measured = [case for case in cases if re.search(r"\d", case[1])]
    result["quotes with a figure"] = {name: _right(refuses, measured) for name, refuses in ways.items()}
    if not args.quotes:
        result["findings marked by hand"] = _findings(args.data)
        result["fragments of real sentences"] = _fragments(args.data)
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    result |= {"commit": commit, "command": "python benchmarks/statements.py"}
    if not args.quotes:
        args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def not_counted(evidence: str, quote: str) -> bool:
    check = check_quote(quote, evidence)
    if check.start is None or check.end is None:
        return True
    return read_statement(evidence, check.start, check.end).why_not is not None


def denied_by_nlplite(evidence: str, quote: str) -> bool:
    return any(marked.endswith(":N") for marked, *_ in get_assertion_status(evidence, [quote]))


def cut_by_pint(evidence: str, quote: str) -> bool:
    """Whether pint reads a longer unit where the quote ends than the quote has."""
    last = _MEASURE.search(quote)
    if last is None:
        return False
    at = evidence.find(quote) + len(quote)
    own = _parsed(last[0])
    return any(
        (longer := _parsed(last[0] + evidence[at : at + more])) is not None and longer != own
        for more in range(1, min(12, len(evidence) - at) + 1)
    )


def _parsed(text: str) -> Any:
    try:
        return _UNITS.parse_expression(text.strip()).units  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 - pint raises its tokenizer's errors as they come
        return None


def _right(refuses: Refuses, cases: Sequence[tuple[str, str, bool]]) -> dict[str, str]:
    false = [refuses(evidence, quote) for evidence, quote, states in cases if not states]
    true = [not refuses(evidence, quote) for evidence, quote, states in cases if states]
    return {
        "refused that must be": f"{sum(false)} of {len(false)}",
        "counted that must be": f"{sum(true)} of {len(true)}",
    }


def _findings(data: Path) -> dict[str, dict[str, str]]:
    lines = (data / "mirage" / "medqa_us_4opt_test.jsonl").read_text("utf-8").splitlines()
    marks = json.loads((HERE / "negation.json").read_text("utf-8"))["marks"]
    items = [(sentence(json.loads(lines[at])["question"], what), what, denied) for at, what, denied in marks]
    ways = {"this package": denied_here, "nlplite": denied_by_nlplite}
    return {
        name: {
            "denials found": f"{sum(denies(s, w) for s, w, d in items if d)} of {sum(d for *_, d in items)}",
            "called denied and is not": f"{sum(denies(s, w) for s, w, d in items if not d)} of "
            f"{sum(not d for *_, d in items)}",
        }
        for name, denies in ways.items()
    }


def _fragments(data: Path) -> dict[str, int]:
    """Count who calls two to four words of real sentences with a negation denied; disagreements are printed."""
    rng = random.Random(5)
    stems = [
        json.loads(line)["question"]
        for line in (data / "mirage" / "medqa_us_4opt_test.jsonl").read_text("utf-8").splitlines()
    ]
    sentences = [t[a:b] for t in stems for a, b in split_sentences(t) if _CUE.search(t[a:b]) and 40 < b - a < 260]
    rng.shuffle(sentences)
    counts: Counter[str] = Counter()
    for text in [t for t in sentences if not t.endswith("?")][:700]:
        words = list(re.finditer(r"\S+", text))
        if len(words) < 6:
            continue
        first = rng.randrange(0, len(words) - 3)
        last = min(first + rng.choice([2, 3, 4]), len(words)) - 1
        quote = text[words[first].start() : words[last].end()].strip(".,;:()")
        if len(quote) < 8 or _CUE.search(quote):
            continue
        check = check_quote(quote, text)
        if not check.verified and not (check.why_not or "").startswith("the quote leaves out the word"):
            continue
        who = (denied_by_nlplite(text, quote), not check.verified)
        name = {(True, True): "both", (True, False): "nlplite alone", (False, True): "this package alone"}
        counts[name.get(who, "neither")] += 1
        if who[0] != who[1]:
            print(name[who], "|", quote, "|", text)
    return dict(counts)


def denied_here(text: str, finding: str) -> bool:
    return any(content_stems(finding) <= denial.stems for denial in denials(text) if denial.stems)


if __name__ == "__main__":
    main()
