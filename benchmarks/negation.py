"""Whether a sentence denies a finding: clinical negation libraries on 63 findings marked by hand (negation.json).

    python benchmarks/negation.py --data ../shared/data

nlplite as it comes and as the judge `data` uses it (`free` as part of a name is masked); negspacy on a blank spaCy
pipeline where it is installed. The sentences are MedQA-USMLE's, drawn by seed among those with a word of
negation; none was used to write a rule before the libraries were compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracejury.agents.data_judge.negation import mentions

HERE = Path(__file__).parent
_CUE = re.compile(
    r"\b(no|not|den(?:y|ies|ied)|without|never|negative|absent|absence|lacks?|free|unremarkable|neither|nor)\b|n't",
    re.I,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "negation.json")
    args = parser.parse_args()
    lines = (args.data / "mirage" / "medqa_us_4opt_test.jsonl").read_text("utf-8").splitlines()
    marks = json.loads((HERE / "negation.json").read_text("utf-8"))["marks"]
    items = [(sentence(json.loads(lines[at])["question"], what), what, denied) for at, what, denied in marks]
    systems: dict[str, Callable[[str, str], bool]] = {"judge `data`": ours, "nlplite": plain}
    if importlib.util.find_spec("negspacy"):
        systems["negspacy, blank spaCy"] = negspacy_on_blank()
    results: dict[str, Any] = {}
    for name, denies in systems.items():
        answers = [(denies(text, what), denied) for text, what, denied in items]
        results[name] = {
            "denials found": f"{sum(s and d for s, d in answers)} of {sum(d for _, d in answers)}",
            "called denied and is not": f"{sum(s and not d for s, d in answers)} of {sum(not d for _, d in answers)}",
        }
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    result = {"systems": results, "commit": commit, "command": "python benchmarks/negation.py"}
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def sentence(stem: str, what: str) -> str:
    """Return the first sentence with a word of negation that names the finding."""
    sentences = [s for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", stem) if what.lower() in s.lower()]
    return next(s for s in sentences if _CUE.search(s))


def ours(text: str, what: str) -> bool:
    return any(m.status == "denied" for m in mentions(text, re.compile(re.escape(what), re.I)))


def plain(text: str, what: str) -> bool:
    from nlplite import get_assertion_status

    return any(marked.endswith(":N") for marked, *_ in get_assertion_status(text, [what]))


def negspacy_on_blank() -> Callable[[str, str], bool]:
    import spacy
    from negspacy.negation import Negex  # noqa: F401 - importing it registers the pipe
    from negspacy.termsets import termset

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler: Any = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    nlp.add_pipe("negex", config={"neg_termset": termset("en_clinical").get_patterns(), "ent_types": ["F"]})

    def denies(text: str, what: str) -> bool:
        ruler.clear()
        ruler.add_patterns([{"label": "F", "pattern": what}])
        return any(e._.negex for e in nlp(text).ents)

    return denies


if __name__ == "__main__":
    main()
