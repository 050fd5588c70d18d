"""What retrieval is worth, measured on real questions and corpora.

    python benchmarks/retrieval.py find   --index FOLDER   # recall and MRR, PubMedQA and MedQuAD
    python benchmarks/retrieval.py rerank --index FOLDER   # a cross-encoder after fusion, on 300 questions of each set
    python benchmarks/retrieval.py quotes                  # the quote check, on true and altered quotes
    python benchmarks/retrieval.py floor                   # the floor of relevance
    python benchmarks/retrieval.py sizes                   # speed and memory at 1k, 20k and 200k passages

Each writes `benchmarks/results/retrieval-NAME.json`. `find` indexes 58,000 passages first: 18 minutes on two cores.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from quote_changes import ALTERED, FORGIVEN, TRUE, sentences
from sizes import measure_sizes

import tracejury.retrieval.quotes as quote_check
from tracejury.agents import Entailment
from tracejury.retrieval import (
    Document,
    Finder,
    Index,
    Query,
    check_quote,
    chunk,
    read_statement,
    relevance,
    sources,
)
from tracejury.traces import Problem, Trace, read, split_sentences

DEPTH = 20
QUOTES = 3
"""What a judge brings at most, as a rule: a case is grounded as soon as one of its quotes is."""
Ways = dict[str, dict[str, Any]]
WAYS: Ways = {
    "dense": {"fusion": False},
    "bm25": {"fusion": False, "finder": "bm25"},
    "bm25, not expanded": {"fusion": False, "finder": "bm25", "expand": False},
    "fused": {},
    "fused, not expanded": {"expand": False},
}
CORPORA = {
    "medquad": "medquad/medquad_passages.jsonl.gz",
    "openstax": "openstax_nursing/openstax_nursing_passages.jsonl.gz",
    "ngc": "ngc_public_domain/ngc_pd_xml.tar.gz",
}


class PubMedQa:
    """The abstracts of PubMedQA. LONG_ANSWER, the conclusion, is never indexed, nor is the question, the title."""

    name = "pubmedqa"
    license = "MIT"
    version = "PQA-L"

    def __init__(self, path: Path) -> None:
        self.items: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))

    def documents(self) -> Iterator[Document | Problem]:
        for pmid, item in self.items.items():
            text = "\n".join(item["CONTEXTS"])
            yield Document(source=self.name, title="", text=text, citation=f"PMID {pmid}", license="MIT", key=pmid)


class Verifier:
    """The committed verifier as a cross-encoder: how far a passage decides the query, either way."""

    def __init__(self) -> None:
        self.entailment = Entailment()

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [1 - e.not_enough for e in self.entailment.score(pairs)]


def find(args: argparse.Namespace) -> dict[str, Any]:
    index, asked, answers = _indexed(args)
    drawn = random.Random(0).sample(sorted(answers), args.n)
    passages = {name: entry.passages for name, entry in index.manifest().sources.items()}
    medquad = [(q, answers[q]) for q in drawn]
    return {
        "passages": passages,
        "pubmedqa": _recalls(index, tuple(passages), "pubmedqa", asked, WAYS),
        "medquad": _recalls(index, ("medquad",), "medquad", medquad, WAYS),
        "note": "document level, one passage a document; MedQuAD: any answer of the same question counts, titles "
        "(focus and question type) are indexed, questions are not; reranking: retrieval-rerank.json",
    }


def rerank(args: argparse.Namespace) -> dict[str, Any]:
    """Fused alone and with a cross-encoder over its first thirty, on the first 300 questions of each set's draw."""
    index, asked, answers = _indexed(args)
    model = args.rerank or "the committed verifier"
    ways: Ways = {"fused": {}, "reranked": {"rerank": args.rerank or Verifier()}}
    drawn = random.Random(0).sample(sorted(answers), 300)
    everywhere = tuple(index.manifest().sources)
    return {
        "model": model,
        "pubmedqa": _recalls(index, everywhere, "pubmedqa", random.Random(0).sample(asked, 300), ways),
        "medquad": _recalls(index, ("medquad",), "medquad", [(q, answers[q]) for q in drawn], ways),
    }


def _indexed(args: argparse.Namespace) -> tuple[Index, list[tuple[str, set[str]]], dict[str, set[str]]]:
    """Return the index with all corpora, PubMedQA's questions with their abstract, MedQuAD's with their answers."""
    index = Index.open(args.index)
    index.build("open-medicine")
    for name, file in CORPORA.items():
        index.build(name, {"path": str((args.data / "corpus" / file).resolve())})
    pubmedqa = PubMedQa(args.data / "pubmedqa" / "ori_pqal.json")
    index.build(pubmedqa)
    asked = [(item["QUESTION"], {pmid}) for pmid, item in pubmedqa.items.items()]
    with gzip.open(args.data / "corpus" / CORPORA["medquad"], "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    answers = defaultdict(set)
    for row in rows:
        answers[row["question"]].add(row["id"])
    return index, asked, answers


def _recalls(
    index: Index,
    names: Sequence[str],
    source: str,
    asked: Sequence[tuple[str, set[str]]],
    ways: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    reciprocal: dict[str, np.ndarray] = {}
    out: dict[str, Any] = {"n": len(asked)}
    for way, params in ways.items():
        finder = Finder(index, names, DEPTH, per_document=1, **params)
        ranks = []
        for start in range(0, len(asked), 50):
            batch = asked[start : start + 50]
            for found, (_, own) in zip(finder.find([Query(text=q) for q, _ in batch]), batch, strict=True):
                keys = [h.passage.key if h.passage.source == source else "" for h in found.hits]
                ranks.append(next((i for i, key in enumerate(keys, 1) if key in own), 0))
        at = np.array(ranks)
        reciprocal[way] = np.where(at > 0, 1 / np.maximum(at, 1), 0.0)
        out[way] = {f"recall@{k}": _share(int(((at > 0) & (at <= k)).sum()), len(at)) for k in (1, 5, 20)}
        out[way]["mrr"] = _mean(reciprocal[way])
        out[way]["hit5"] = ((at > 0) & (at <= 5)).astype(int)
        print(source, way, {k: v for k, v in out[way].items() if k != "hit5"}, flush=True)
    for way in {"dense", "bm25", "reranked"} & ways.keys():
        out[f"fused minus {way}, recall@5"] = _mean(out["fused"]["hit5"] - out[way]["hit5"])
    for way in ways:
        del out[way]["hit5"]
    return out


def quotes(args: argparse.Namespace) -> dict[str, Any]:
    texts = [p.text for d in _documents(args) for p in chunk(d)]
    rng = random.Random(2)
    pairs = sentences(texts, 12_000, rng)
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    stated: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[dict[str, str]] = []
    for group, changes in (("true", TRUE), ("altered", ALTERED), ("forgiven", FORGIVEN)):
        for kind, change in changes.items():
            tried = 0
            for sentence, text in rng.sample(pairs, len(pairs)):
                quote = change(sentence, rng)
                if quote is None or (group == "altered" and quote == sentence):
                    continue
                tried += 1
                verified, states, why_not = _checked(quote, text)
                verdicts[f"{group}: {kind}"]["verified" if verified else "not"] += 1
                stated[group]["yes" if states else "no"] += 1
                if re.search(r"[a-z)][.!][*\"')]*$", sentence) and not re.match(r"\W*(?:#|DOI|Source)", sentence):
                    stated[f"{group}, sentences with a full stop"]["yes" if states else "no"] += 1
                if states if group == "altered" else not states:
                    wrong.append({"kind": kind, "quote": quote, "why_not": why_not})
                if tried == 200:
                    break
    for (quote, _), (_, other) in zip(pairs[:200], pairs[200:400], strict=True):
        if quote not in other:
            verdicts["altered: of another passage"]["verified" if check_quote(quote, other).verified else "not"] += 1
    total: Counter[str] = Counter()
    for name, counts in verdicts.items():
        for verdict, n in counts.items():
            total[f"{name.split(':')[0]} {verdict}"] += n
    accepted = total["true verified"] + total["altered verified"]
    return {
        "n": sum(total.values()),
        "by_alignment_floor": _by_alignment_floor(sentences(texts, 3000, random.Random(9))),
        "precision": _share(total["true verified"], accepted),
        "recall": _share(total["true verified"], total["true verified"] + total["true not"]),
        "altered_accepted": _share(total["altered verified"], total["altered verified"] + total["altered not"]),
        "forgiven_accepted": _share(total["forgiven verified"], total["forgiven verified"] + total["forgiven not"]),
        "by_kind": {k: _share(v["verified"], v["verified"] + v["not"]) for k, v in sorted(verdicts.items())},
        "verified_and_a_statement": {g: _share(v["yes"], v["yes"] + v["no"]) for g, v in stated.items()},
        "parts": _parts(pairs),
        "wrong_by_reason": dict(Counter(_reason(w["why_not"]) for w in wrong)),
        "wrong": wrong,
    }


def _checked(quote: str, text: str) -> tuple[bool, bool, str]:
    """Return whether a quote verifies, whether it verifies and is a statement, and why not."""
    check = check_quote(quote, text)
    if check.start is None or check.end is None:
        return False, False, check.why_not or ""
    statement = read_statement(text, check.start, check.end)
    return True, statement.why_not is None, statement.why_not or ""


def _reason(why_not: str) -> str:
    return re.sub(r"'.*'|\".*\"", "...", why_not, flags=re.DOTALL) or "verified and must not be"


def _parts(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Quotes of the last clause alone: what they leave out, by kind; forty are printed for reading."""
    rng = random.Random(11)
    reasons: Counter[str] = Counter()
    refused = []
    n = 0
    for sentence, text in pairs[:4000]:
        cuts = [m.end() for m in re.finditer(r"[,;:] ", sentence) if len(sentence) - m.end() > 25]
        if not cuts:
            continue
        n += 1
        quote = sentence[rng.choice(cuts) :]
        _, states, why_not = _checked(quote, text)
        if not states:
            reasons[_reason(why_not)] += 1
            refused.append({"quote": quote, "sentence": sentence, "why_not": why_not})
    for row in rng.sample(refused, 40):
        print(json.dumps(row))
    return {"last clause": _share(n - len(refused), n), "refused": dict(reasons)}


def _by_alignment_floor(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Sweep the floor of the alignment on sentences of their own draw."""
    rng = random.Random(10)
    made = {
        group: [
            (quote, text)
            for change in changes.values()
            for sentence, text in rng.sample(list(pairs), 150)
            if (quote := change(sentence, rng)) and quote != sentence
        ]
        for group, changes in (("altered", ALTERED), ("forgiven", FORGIVEN))
    }
    out, kept = {}, quote_check.ALIGNMENT_FLOOR
    for at in (50.0, 60.0, 70.0, 80.0, 90.0, 95.0):
        quote_check.ALIGNMENT_FLOOR = at
        out[f"{at:g}"] = {
            group: _share(sum(check_quote(quote, text).verified for quote, text in quotes), len(quotes))
            for group, quotes in made.items()
        }
    quote_check.ALIGNMENT_FLOOR = kept
    return out


def floor(args: argparse.Namespace) -> dict[str, Any]:
    """Choose the floor on the steps of one half of the questions; report on the other half."""
    scorer = relevance("cosine")
    rng = random.Random(3)
    halves: dict[bool, list[str]] = {False: [], True: []}
    for found in read("mr-ben", args.data / "mr_ben" / "medicine_dev_subset.json"):
        if isinstance(found, Trace):
            for step in found.steps or ():
                if len(step.text) > 20:
                    halves[int(found.question_id[-1], 16) % 2 == 0].append(step.text)
    pool: dict[str, list[str]] = defaultdict(list)
    for document in rng.sample(documents := list(_documents(args)), min(4000, len(documents))):
        spans = [(a, b) for a, b in split_sentences(document.text) if 40 <= b - a <= 400]
        if spans and len(pool[document.source]) < 400:
            a, b = rng.choice(spans)
            pool[document.source].append(document.text[a:b])
    names = sorted(pool)
    drawn: dict[bool, np.ndarray] = {}
    for half, steps in halves.items():
        pairs = [(s, rng.choice(pool[names[(i + j) % len(names)]])) for i, s in enumerate(steps) for j in range(QUOTES)]
        drawn[half] = np.array(scorer.score(pairs)).reshape(-1, QUOTES)
    any_quote = drawn[False].max(axis=1)
    chosen = next(f / 100 for f in range(20, 70) if _passing(any_quote, f / 100)["high"] < 0.05)
    items = json.loads((args.data / "pubmedqa" / "ori_pqal.json").read_text("utf-8")).values()
    bearing = np.array(scorer.score([(i["QUESTION"], i["LONG_ANSWER"]) for i in items]))
    reported = drawn[True]
    turn = (np.arange(len(reported))[:, None] + np.arange(QUOTES)) % len(names)
    return {
        "floor": chosen,
        "chosen_on": {
            "steps": len(any_quote),
            "rule": f"smallest hundredth at which the upper 95 % bound of the cases "
            f"that one of {QUOTES} random true sentences grounds is under 5 %",
        },
        "one_random_true_sentence_grounds": _passing(reported[:, 0], chosen),
        f"one_of_{QUOTES}_random_true_sentences_grounds": _passing(reported.max(axis=1), chosen),
        "by_source": {name: _passing(reported[turn == i], chosen) for i, name in enumerate(names)},
        "bearing_sentence_passes": _passing(bearing, chosen),
        "quantiles_random": {str(q): round(float(np.quantile(reported, q)), 3) for q in (0.5, 0.9, 0.95, 0.99)},
        "quantiles_bearing": {str(q): round(float(np.quantile(bearing, q)), 3) for q in (0.01, 0.05, 0.1, 0.5)},
        "note": "random: a sentence of a random document against a step of Mr-Ben (medicine), sources in turn, figures "
        "on questions that the floor was not chosen on; bearing: PubMedQA's question against its own conclusion",
    }


def _passing(scores: np.ndarray, at: float) -> dict[str, float]:
    return _share(int((scores >= at).sum()), scores.size)


def _documents(args: argparse.Namespace) -> Iterator[Document]:
    made = [sources.make("open-medicine")]
    made += [sources.make(n, path=str((args.data / "corpus" / f).resolve())) for n, f in CORPORA.items()]
    for source in made:
        yield from (d for d in source.documents() if isinstance(d, Document))


def _share(k: int, n: int) -> dict[str, float]:
    """A share with its 95 % interval (Wilson 1927)."""
    if not n:
        return {"share": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0}
    z, p = 1.959964, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    return {"share": round(p, 4), "low": round(middle - half, 4), "high": round(middle + half, 4), "n": n}


def _mean(values: np.ndarray) -> dict[str, float]:
    """A mean with its 95 % interval, 5,000 bootstraps over questions."""
    rng = np.random.default_rng(0)
    draws = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(5000)])
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"mean": round(float(values.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["find", "rerank", "quotes", "floor", "sizes"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("judge_panel.index"))
    parser.add_argument("--n", type=int, default=1500, help="MedQuAD questions")
    parser.add_argument("--rerank", help="instead of the verifier: a folder with an ONNX cross-encoder, or a name")
    args = parser.parse_args()
    measures = {"find": find, "rerank": rerank, "quotes": quotes, "floor": floor, "sizes": measure_sizes}
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    command = " ".join(["python", "benchmarks/retrieval.py", *sys.argv[1:]])
    result = measures[args.what](args) | {"commit": commit, "command": command}
    # The texts are read here and not kept: they are not this repository's.
    for row in result.pop("wrong", ()):
        print(json.dumps(row))
    Path(f"benchmarks/results/retrieval-{args.what}.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
