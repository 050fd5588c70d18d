"""The judge without a model on labelled steps: planted errors of the demo, MR-Ben medicine, MEDEC validation.

    python benchmarks/data_judge.py --data ../shared/data

It was written looking at one half of the questions of each set (by hash) and at unlabelled MIRAGE chains; `held out` is
the other half, and nothing was changed after looking at its figures. Of the demo, ten of the first fifteen questions
were looked at; the fifteen that were written later, by an author who had not read the judge's code, are all held out
and are also given alone. Before any step of the demo was looked at, the judge caught 3 of the 57 errors of the first
fifteen (3 of 9 of arithmetic) with no false alarm on 108 steps, and on the fifteen written later 9 of 58, none on 111.
The rules of contradiction, the clinical scores and the reference ranges came later. While they were written the steps
of the halves looked at were seen again, and of the demo's other half the vignettes, but no step and no label; nothing
was changed after looking at the figures of the halves held out.

Every case has all 22 passages of the source `reference-ranges`, more than retrieval would bring: the worst case for
alarms. Precision is the share of its `error`s (and `supported`s) that the labels share; intervals are Wilson's, 95 %.
Recall is over all labelled errors, of which this judge can see but a part. MEDEC's notes carry slips of their own,
which its labels do not count: the alarms of the half looked at are weights and temperatures that their own brackets
contradict.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tracejury.agents import Case, ContextStep, Label, judges
from tracejury.agents.derivations import derivations_for
from tracejury.retrieval import Document, Passage, sources
from tracejury.traces import Question, Step, Trace, blind, read, segment

DEMO = Path("configs/demo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/data_judge.json"))
    args = parser.parse_args()
    spine = yaml.safe_load((DEMO / "spine.yaml").read_text("utf-8"))
    unseen, later = frozenset(spine["unseen"]), frozenset(spine["written_later"])
    keys = (json.loads(line)["id"] for line in (DEMO / "questions.jsonl").read_text("utf-8").splitlines())
    sets = {
        "demo, planted errors, looked at": demo(DEMO, frozenset(keys) - unseen - later),
        "demo, planted errors, held out": demo(DEMO, unseen | later),
        "demo, planted errors, written later": demo(DEMO, later),
        "mr-ben medicine, looked at": labelled("mr-ben", args.data / "mr_ben/medicine_dev_subset.json", half=0),
        "mr-ben medicine, held out": labelled("mr-ben", args.data / "mr_ben/medicine_dev_subset.json", half=1),
        "medec validation, looked at": labelled("medec", medec(args.data), half=0),
        "medec validation, held out": labelled("medec", medec(args.data), half=1),
    }
    result = {
        "sets": {name: score(steps) for name, steps in sets.items()},
        "demo before it was looked at": "first fifteen: 3 of 57 errors caught, 0 of 108 false alarms; "
        "written later: 9 of 58, 0 of 111",
        "first fifteen of the demo in the first release of this table (commit aa82e8c)": "14 of 57 errors caught, "
        "0 of 108 false alarms",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "command": "python benchmarks/data_judge.py",
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def score(steps: Iterator[tuple[Case, str | None, str | None]]) -> dict[str, Any]:
    judge = judges.make("data")
    answers: Counter[tuple[str | None, str]] = Counter()
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    right_type = grounded = 0
    for case, label, kind in steps:
        draft = judge.judge(case)  # type: ignore[attr-defined]
        answers[label, draft.label.value] += 1
        if label == "error":
            kinds[kind or "?"][draft.label.value] += 1
        if draft.label is Label.ERROR:
            grounded += bool(derivations_for(case, draft.derivations, Label.ERROR) or draft.quotes)
            right_type += label == "error" and draft.error_type is not None and draft.error_type.value == kind
    errors = sum(n for (label, _), n in answers.items() if label == "error")
    supported = sum(n for (label, _), n in answers.items() if label == "supported")
    flagged = answers["error", "error"] + answers["supported", "error"]
    passed = answers["supported", "supported"] + answers["error", "supported"]
    return {
        "labelled steps": errors + supported,
        "unlabelled steps": sum(n for (label, _), n in answers.items() if label is None),
        "errors caught": f"{answers['error', 'error']} of {errors}",
        "false alarms": f"{answers['supported', 'error']} of {supported}",
        "said error on unlabelled": answers[None, "error"],
        "precision of error": with_interval(answers["error", "error"], flagged),
        "recall of error": with_interval(answers["error", "error"], errors),
        "right error type, of caught": right_type,
        "error opinions with a quote or derivation": grounded,
        "precision of supported": with_interval(answers["supported", "supported"], passed),
        "by error type": {kind: dict(counts) for kind, counts in sorted(kinds.items())},
    }


def with_interval(k: int, n: int) -> str:
    """Return k / n with Wilson's interval at 95 %."""
    if n == 0:
        return "no such step"
    z, p = 1.96, k / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n))
    return f"{k}/{n} = {p:.3f} [{max(low, 0):.3f}, {min(high, 1):.3f}]"


def labelled(reader: str, path: Path, half: int) -> Iterator[tuple[Case, str | None, str | None]]:
    questions: dict[str, Question] = {}
    for record in read(reader, path):
        if isinstance(record, Question):
            questions[record.id] = record
        elif isinstance(record, Trace):
            if in_half(record.question_id) != half:
                continue
            steps = segment(record, "given").steps
            for step in steps:
                yield case_of(record, questions[record.question_id], steps, step), step.label, step.error_type


def demo(folder: Path, chosen: frozenset[str]) -> Iterator[tuple[Case, str | None, str | None]]:
    keys: dict[tuple[str, str, int], dict[str, Any]] = {}
    for line in (folder / "labels.jsonl").read_text("utf-8").splitlines():
        key = json.loads(line)
        keys[key["question"], key["arm"], key["step"]] = key
    questions: dict[str, Question] = {}
    for record in read("native", folder):
        if isinstance(record, Question):
            questions[record.id] = record
        elif isinstance(record, Trace):
            question = questions[record.question_id]
            if question.key not in chosen:
                continue
            steps = segment(record, "numbered").steps
            for step in steps:
                key = keys[question.key, record.arm, step.index]
                yield case_of(record, question, steps, step), key["label"], key["error_type"]


def in_half(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2


def case_of(trace: Trace, question: Question, steps: tuple[Step, ...], step: Step) -> Case:
    return Case(
        step_id=step.id,
        trace_id=trace.id,
        stem=question.stem,
        options=question.options,
        context=tuple(ContextStep(index=s.index, text=s.text) for s in steps if s.index < step.index),
        step_index=step.index,
        step=blind(step.text),
        passages=ranges(),
    )


@cache
def ranges() -> tuple[Passage, ...]:
    documents = [d for d in sources.make("reference-ranges").documents() if isinstance(d, Document)]
    shared_fields = set(Document.model_fields) & set(Passage.model_fields)
    return tuple(Passage(**d.model_dump(include=shared_fields)) for d in documents)


def medec(data: Path) -> Path:
    (medec_file,) = (data / "medec").glob("*.csv")
    return medec_file


if __name__ == "__main__":
    main()
