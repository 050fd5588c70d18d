"""Build an SFT corpus from native traces: filter, render, split by question, check for contamination, describe.

Every trace that does not become a row is counted under a reason. The folder claims its inputs, and the manifest is
written last.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tracejury.traces import Question, Trace
from tracejury.training.card import write_card
from tracejury.training.chat import Prior, Rendered, render, template_hash, turns_of
from tracejury.training.contamination import Overlap, find_overlaps
from tracejury.training.machine import commit
from tracejury.training.messages import PRIOR, conversation_row
from tracejury.training.notebook import claim
from tracejury.training.prompts import VERSION, closing_sentence, question_prompt
from tracejury.training.recipe import Recipe, RecipeError
from tracejury.training.rows import SftRow, hash_files, write_json, write_lines, write_rows
from tracejury.training.tokens import encode
from tracejury.training.verdicts import Learned, Mode, TraceVerdicts, learn_from
from tracejury.training.weights import identity_of

if TYPE_CHECKING:
    from tracejury.models import Embedder

_NUMBERED = re.compile(r"^\s*(?:step\s*)?\d+[.):]", re.IGNORECASE | re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[a-z0-9)\]%][.!?])\s+(?=[A-Z\"(])")


OnContamination = Literal["fail", "drop", "tell"]


class Pair(NamedTuple):
    """A trace and its question."""

    question: Question
    trace: Trace


def build_corpus(
    pairs: Iterable[Pair],
    recipe: Recipe,
    out: Path,
    *,
    tokenizer_from: str | None = None,
    evaluation: Sequence[Question] = (),
    on_contamination: OnContamination = "fail",
    embedder: Embedder | None = None,
    verdicts: Mapping[str, TraceVerdicts] | None = None,
    mode: Mode = "drop",
    made_from: Sequence[str] = (),
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> dict[str, Any]:
    """Write a corpus and return its manifest; a finished corpus of the same inputs stays as it is.

    An unfinished one is begun anew, whatever its inputs were. A finished one of other inputs is refused, since a
    student may have been trained on it.

    Args:
        pairs: Traces with their questions, in any order.
        recipe: Which student it is for: its template, its length limit, its filters.
        out: The folder: train.jsonl, heldout.jsonl and the same rows as conversations (messages/), README.md (the card
            of the data set), example.txt, manifest.json.
        tokenizer_from: Folder or hub name of the tokenizer; None: as the recipe says.
        evaluation: The questions that the student will be examined on.
        on_contamination: What to do when training questions overlap with `evaluation`: refuse (`fail`), leave them out
            (`drop`), or keep them and say so in the card (`tell`; for questions from one template, whose wording must
            be alike).
        embedder: Embeds the stems for the check by meaning; None: the check is by n-grams alone.
        verdicts: A jury's verdicts by trace id, to learn from.
        mode: How the verdicts select traces; see `tracejury.training.verdicts`.
        made_from: Where the card says that the traces come from.
        progress: Receives (number of questions compared, or of traces rendered, how many there are, a note).

    Raises:
        RecipeError: Contamination, no row left, an unusable template, or a finished corpus of other inputs.
    """
    every_pair = list(pairs)
    inputs = _inputs(every_pair, recipe, tokenizer_from, verdicts, mode) | {
        "evaluation": sorted((q.id, q.gold or "") for q in evaluation),
        "on_contamination": on_contamination if evaluation else None,
        "embedder": embedder.name if embedder and evaluation else None,
    }
    finished = claim(out, inputs, restarts=True)
    if finished is not None and _rows_are_unchanged(out, finished):
        return finished
    (out / "manifest.json").unlink(missing_ok=True)
    # Random weights depend on the chains: those of an earlier, unfinished start may be of others.
    shutil.rmtree(out / "student", ignore_errors=True)
    drops: Counter[str] = Counter()
    selected = _select(every_pair, recipe, drops)
    overlaps = find_overlaps(
        {p.question.id: p.question for p in selected}.values(),
        evaluation,
        embedder,
        lambda done, total: progress(done, total, "questions compared by meaning"),
    )
    chosen = _uncontaminated(selected, overlaps, on_contamination, drops)
    if not chosen:
        raise _nothing_left(out, drops)
    progress(0, len(chosen), "")
    tokenizer = _tokenizer(recipe, tokenizer_from, chosen, out)
    student = recipe.student
    rows: list[SftRow] = []
    conversations: dict[str, dict[str, Any]] = {}
    lengths: list[int] = []
    verdict_counts: Counter[str] = Counter()
    for number, (question, trace) in enumerate(chosen, 1):
        progress(number, len(chosen), "")
        learned = learn_from(trace, None if verdicts is None else verdicts.get(trace.id), mode)
        if verdicts is not None:
            verdict_counts[learned.why] += 1
        if learned.text is None:
            drops[f"verdicts: {learned.why}"] += 1
            continue
        prior, reply = _turns(recipe, question, trace, learned)
        rendered = render(tokenizer, student, prior, reply)
        if learned.cut:
            # The student must not learn to stop, or to answer, where the jury cut: a prefix has no end of turn.
            rendered = Rendered(rendered.prompt, reply + "\n")
        row = SftRow(
            id=trace.id,
            question_id=question.id,
            prompt=rendered.prompt,
            completion=rendered.completion,
            weight=learned.weight,
            meta={"model": trace.model, "arm": trace.arm, "hint_used": trace.meta.get("hint_used")},
        )
        length = len(encode(row, tokenizer).input_ids)
        if length > recipe.schedule.max_length:
            drops[f"longer than {recipe.schedule.max_length} tokens"] += 1
            continue
        lengths.append(length)
        rows.append(row)
        if not learned.cut:
            columns = {"id": row.id, "question_id": row.question_id, "model": trace.model, "arm": trace.arm}
            conversations[row.id] = conversation_row(turns_of(prior), reply, **columns)
    if not rows:
        raise _nothing_left(out, drops)
    rows.sort(key=lambda r: (r.question_id, r.id))
    heldout = {r.question_id for r in rows if is_heldout(r.question_id, recipe.corpus.heldout, recipe.schedule.seed)}
    train_rows = [r for r in rows if r.question_id not in heldout]
    if not train_rows:
        raise RecipeError(f"{out}: all {len(rows)} rows are held out; lower corpus.heldout or bring more questions.")
    write_rows(out / "train.jsonl", train_rows)
    heldout_rows = [r for r in rows if r.question_id in heldout]
    write_rows(out / "heldout.jsonl", heldout_rows)
    (out / "messages").mkdir(exist_ok=True)
    for name, part in (("train", train_rows), ("heldout", heldout_rows)):
        lines = (conversations[r.id] for r in part if r.id in conversations)
        write_lines(out / "messages" / f"{name}.jsonl", lines)
    example = train_rows[0]
    (out / "example.txt").write_text(example.prompt + example.completion, encoding="utf-8")
    manifest: dict[str, Any] = {
        "data_sha256": hash_files([out / "train.jsonl", out / "heldout.jsonl"]),
        "recipe": recipe.name,
        "student": student.model,
        "target": recipe.corpus.target,
        "prompt_version": VERSION,
        "template_sha256": template_hash(tokenizer),
        "rows": {"train": len(train_rows), "heldout": len(rows) - len(train_rows)},
        "questions": {"train": len({r.question_id for r in train_rows}), "heldout": len(heldout)},
        "tokens": {"all": sum(lengths), "longest": max(lengths)},
        "conversations": len(conversations),
        "hint_used": sum(r.meta.get("hint_used") is True for r in rows),
        "drops": dict(sorted(drops.items())),
        "verdicts": {"mode": mode, **dict(sorted(verdict_counts.items()))} if verdicts is not None else None,
        "contamination": {
            "checked_against": len(evaluation),
            "by": ["n-grams", *([embedder.name] if embedder else [])],
            "found": len(overlaps),
            "then": {"fail": None, "drop": "left out", "tell": "kept"}[on_contamination] if overlaps else None,
            "pairs": [o.summary() for o in overlaps[:50]],
        },
        "made_from": list(made_from),
        "commit": commit(),
    }
    write_card(out / "README.md", manifest, example)
    write_json(out / "manifest.json", manifest)
    return manifest


def _inputs(
    pairs: Sequence[Pair],
    recipe: Recipe,
    tokenizer_from: str | None,
    verdicts: Mapping[str, TraceVerdicts] | None,
    mode: Mode,
) -> dict[str, Any]:
    """Return what a corpus is made from; ids are content hashes, so that an edited chain is another input."""
    outcomes = None if verdicts is None else sorted((p.trace.id, verdicts.get(p.trace.id)) for p in pairs)
    return {
        "traces": sorted(pair.trace.id for pair in pairs),
        "questions": sorted({(pair.question.id, pair.question.gold or "") for pair in pairs}),
        "student": recipe.student.model_dump(mode="json"),
        "corpus": recipe.corpus.model_dump(mode="json"),
        "max_length": recipe.schedule.max_length,
        "seed": recipe.schedule.seed,
        "tokenizer": tokenizer_from and identity_of(tokenizer_from),
        "verdicts": outcomes and hashlib.sha256(repr(outcomes).encode()).hexdigest(),
        "mode": mode if verdicts is not None else None,
        "prompt_version": VERSION,
    }


def _rows_are_unchanged(out: Path, manifest: Mapping[str, Any]) -> bool:
    files = [out / "train.jsonl", out / "heldout.jsonl"]
    return all(file.is_file() for file in files) and hash_files(files) == manifest["data_sha256"]


def is_heldout(question_id: str, share: float, seed: int) -> bool:
    """Return whether a question is held out. It depends on the question's hash alone."""
    digest = hashlib.sha256(f"{seed}:{question_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def in_numbered_steps(text: str) -> str:
    """Return the text with one sentence a numbered line; as it is where it is numbered already. No word changes."""
    if _NUMBERED.search(text):
        return text.strip()
    sentences = [" ".join(s.split()) for s in _SENTENCE.split(text.strip()) if s.strip()]
    return "\n".join(f"{i}. {s}" for i, s in enumerate(sentences, 1))


def _select(pairs: Iterable[Pair], recipe: Recipe, drops: Counter[str]) -> list[Pair]:
    """Return the pairs that the recipe selects, each once; count the others by reason."""
    selected_pairs: list[Pair] = []
    selected_ids: set[str] = set()
    for pair in pairs:
        reason = _why_not(pair, recipe) or ("duplicate" if pair.trace.id in selected_ids else None)
        if reason:
            drops[reason] += 1
            continue
        selected_ids.add(pair.trace.id)
        selected_pairs.append(pair)
    return selected_pairs


def _why_not(pair: Pair, recipe: Recipe) -> str | None:
    question, trace = pair
    spec = recipe.corpus
    answers = PRIOR not in question.meta
    checks = (
        (bool(spec.models) and trace.model not in spec.models, "another model"),
        (bool(spec.arms) and trace.arm not in spec.arms, "another arm"),
        (not trace.text.strip(), "empty text"),
        (trace.finish_reason == "length", "cut off by the token limit"),
        (answers and trace.answer is None, "no answer found"),
        (answers and spec.correct_only and question.gold is None, "no gold answer"),
        (answers and spec.correct_only and trace.answer != question.gold, "wrong answer"),
    )
    return next((reason for failed, reason in checks if failed), None)


def _turns(recipe: Recipe, question: Question, trace: Trace, learned: Learned) -> tuple[Prior, str]:
    """Return what stands before the reply, and the reply."""
    text = (learned.text or "").strip()
    if isinstance(turns := question.meta.get(PRIOR), list):
        return [turn for turn in turns if isinstance(turn, dict)], text
    prompt, closing = question_prompt(question.stem, question.options), closing_sentence(str(trace.answer))
    if recipe.corpus.target == "answer":
        return prompt, closing
    if recipe.corpus.layout == "numbered":
        text = in_numbered_steps(text)
    return prompt, text if learned.cut or closing in text else f"{text}\n\n{closing}"


def _tokenizer(recipe: Recipe, source: str | None, pairs: Sequence[Pair], out: Path) -> Any:
    """Load the student's tokenizer; the weights of `random` and `fetched:` students are written beside the corpus."""
    from transformers import AutoTokenizer

    from tracejury.training.backends import own_progress_only

    own_progress_only()
    model = recipe.student.model
    if source is None and model == "random":
        from tracejury.training.recipe import Shape
        from tracejury.training.weights import make_random_student

        texts = [f"{question_prompt(q.stem, q.options)}\n{in_numbered_steps(t.text)}" for q, t in pairs]
        shape = recipe.student.shape or Shape()
        source = str(make_random_student(out / "student", shape, texts, recipe.schedule.seed))
    elif source is None and model.startswith("fetched:"):
        from tracejury.models import weights_path
        from tracejury.training.weights import make_trainable

        source = str(make_trainable(weights_path(model.removeprefix("fetched:")), out / "student"))
    try:
        return AutoTokenizer.from_pretrained(source or model, revision=recipe.student.revision)
    except OSError as error:
        raise RecipeError(
            f"{source or model}: no tokenizer could be loaded ({error.__class__.__name__}: {str(error)[:200]}). Give "
            "`--tokenizer FOLDER`, or a model that is on this machine."
        ) from error


def _nothing_left(out: Path, drops: Counter[str]) -> RecipeError:
    reasons = ", ".join(f"{reason}: {number}" for reason, number in drops.items())
    return RecipeError(
        f"{out}: no trace is left for the corpus; left out: {reasons}. Bring other traces, or change the filters "
        "(`corpus` in the recipe, --mode, --on-contamination)."
    )


def _uncontaminated(
    pairs: list[Pair], overlaps: Sequence[Overlap], on_contamination: OnContamination, drops: Counter[str]
) -> list[Pair]:
    """Return the pairs that stay, and count the others; raise RecipeError where overlaps are refused."""
    if overlaps and on_contamination == "fail":
        raise RecipeError(_contaminated(overlaps))
    if not overlaps or on_contamination == "tell":
        return pairs
    overlapping = {o.training.id for o in overlaps}
    drops["contaminated question"] = sum(p.question.id in overlapping for p in pairs)
    return [p for p in pairs if p.question.id not in overlapping]


def _contaminated(overlaps: Sequence[Overlap]) -> str:
    examples = "; ".join(json.dumps(o.summary(), ensure_ascii=False) for o in overlaps[:3])
    return (
        f"{len({o.training.id for o in overlaps})} training questions overlap with the evaluation questions: "
        f"{examples}. Take other questions, or leave these out with `--on-contamination drop`."
    )
