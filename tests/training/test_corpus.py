"""From traces to training rows: what is rendered, what the loss sees, what is left out and told."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tracejury.agents import Outcome
from tracejury.traces import Question, Trace
from tracejury.training import Pair, Recipe, RecipeError, TraceVerdicts, build_corpus, read_pairs
from tracejury.training.rows import SftRow, read_corpus, read_rows, repeat_by_weight
from tracejury.training.tokens import IGNORED, encode
from tracejury.training.verdicts import StepVerdict

pytestmark = pytest.mark.train

QUESTION = Question(
    stem="A patient has a serum sodium of 120 mmol/L. What is it?", options={"A": "Low", "B": "High"}, gold="A"
)


def chain(text: str, answer: str | None = "A", **fields: object) -> Pair:
    return Pair(QUESTION, Trace(question_id=QUESTION.id, model="m", text=text, answer=answer, **fields))  # type: ignore[arg-type]


def changed(recipe: Recipe, **corpus: object) -> Recipe:
    return recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update=corpus)})


def test_row_is_rendered_with_the_empty_think_block_and_ends_the_turn(corpus: Path) -> None:
    row = next(read_rows(corpus / "train.jsonl"))
    assert row.prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert re.search(r"The answer is \([A-D]\)\.<\|im_end\|>\Z", row.completion)
    assert (corpus / "example.txt").read_text() == row.prompt + row.completion


def test_loss_sees_the_completion_only(corpus: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(corpus / "student")
    row = next(read_rows(corpus / "train.jsonl"))
    encoded = encode(row, tokenizer)
    seen = [t for t, label in zip(encoded.input_ids, encoded.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(seen) == row.completion
    assert tokenizer.decode(encoded.input_ids) == row.prompt + row.completion


def test_split_is_by_question_and_checked_against_the_manifest(corpus: Path, tmp_path: Path) -> None:
    split, digest = read_corpus(corpus)
    assert split.train
    assert split.heldout
    assert not {r.question_id for r in split.train} & {r.question_id for r in split.heldout}
    assert digest == json.loads((corpus / "manifest.json").read_text())["data_sha256"]
    for name in ("manifest.json", "heldout.jsonl"):
        (tmp_path / name).write_bytes((corpus / name).read_bytes())
    (tmp_path / "train.jsonl").write_text(split.train[0].model_dump_json() + "\n")
    with pytest.raises(RecipeError, match="not those that the manifest was written for"):
        read_corpus(tmp_path)


def test_every_trace_left_out_is_counted_under_a_reason(recipe: Recipe, pairs: list[Pair], tmp_path: Path) -> None:
    bad = [
        chain("1. It is high.", "B"),
        chain("1. Who knows?", None),
        chain("", "A"),
        chain("1. It is cut", "A", finish_reason="length"),
        chain("1. " + "So it goes on. " * 400, "A"),
        pairs[0],
    ]
    manifest = build_corpus([*pairs[:12], *bad], recipe, tmp_path)
    assert manifest["drops"] == {
        "cut off by the token limit": 1,
        "duplicate": 1,
        "empty text": 1,
        "longer than 512 tokens": 1,
        "no answer found": 1,
        "wrong answer": 1,
    }
    assert sum(manifest["rows"].values()) == 12
    card = (tmp_path / "README.md").read_text()
    assert "- wrong answer: 1" in card
    assert "**Not checked**" in card


def test_answer_only_target_has_no_chain(recipe: Recipe, pairs: list[Pair], tmp_path: Path) -> None:
    build_corpus(pairs[:12], changed(recipe, target="answer"), tmp_path)
    assert {len(r.completion.splitlines()) for r in read_rows(tmp_path / "train.jsonl")} == {1}


def test_prose_is_laid_out_in_numbered_steps_without_changing_a_word(
    recipe: Recipe, pairs: list[Pair], tmp_path: Path
) -> None:
    prose = "The value is low. It lies below 3.5 mmol/L, e.g. at 3.1. So (A) fits."
    build_corpus([*pairs[:8], chain(prose)], changed(recipe, layout="numbered", heldout=0.0), tmp_path)
    row = next(r for r in read_rows(tmp_path / "train.jsonl") if r.question_id == QUESTION.id)
    steps = row.completion.split("\n\n")[0].splitlines()
    assert [s[:3] for s in steps] == ["1. ", "2. ", "3. "]
    assert " ".join(s[3:] for s in steps) == prose


def test_contaminated_questions_are_refused_or_dropped(recipe: Recipe, pairs: list[Pair], tmp_path: Path) -> None:
    same, kept = pairs[0].question, pairs[1:9]
    reworded = pairs[1].question.model_copy(update={"stem": pairs[1].question.stem + " Choose one."})
    reworded = Question.model_validate(reworded.model_dump())
    with pytest.raises(RecipeError, match=r"overlap with the evaluation questions.*--on-contamination drop"):
        build_corpus(pairs[:9], recipe, tmp_path, evaluation=[same])
    assert not (tmp_path / "manifest.json").exists()
    manifest = build_corpus(
        [*pairs[:1], *kept],
        changed(recipe, heldout=0.0),
        tmp_path,
        evaluation=[same, reworded],
        on_contamination="drop",
    )
    found = {p["training"]: p["by"] for p in manifest["contamination"]["pairs"]}
    assert found[same.key or same.id] == "same question"
    assert found[pairs[1].question.key or pairs[1].question.id] == "n-grams"
    assert {same.id, pairs[1].question.id}.isdisjoint(r.question_id for r in read_rows(tmp_path / "train.jsonl"))


def test_contamination_by_meaning_needs_no_common_words(recipe: Recipe, tmp_path: Path) -> None:
    class OneMeaning:
        """Everything means the same."""

        name, dim = "one", 2

        def embed(self, texts: list[str]) -> np.ndarray:
            return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    other = Question(stem="Hyponatraemia was found. Name it.", options={"A": "x"}, gold="A")
    with pytest.raises(RecipeError, match='"by": "one"'):
        build_corpus([chain("1. It is low.")], recipe, tmp_path, evaluation=[other], embedder=OneMeaning())


def test_template_without_the_expected_markers_is_refused(recipe: Recipe, pairs: list[Pair], tmp_path: Path) -> None:
    student = recipe.student.model_copy(update={"markers": ("[INST]",)})
    with pytest.raises(RecipeError, match=r"lacks the expected markers \['\[INST\]'\]"):
        build_corpus(pairs[:3], recipe.model_copy(update={"student": student}), tmp_path)


def verdicts(*outcomes: Outcome) -> TraceVerdicts:
    starts = (0, 29, 60)
    return TraceVerdicts(tuple(StepVerdict(i, starts[i], True, o) for i, o in enumerate(outcomes)))


S, E, A, F = Outcome.SUPPORTED, Outcome.ERROR, Outcome.ABSTAINED, Outcome.FAILED
TEXT = "1. The serum sodium is low.\n2. Hyponatremia is defined so.\n3. The answer must be low."


@pytest.mark.parametrize(
    ("mode", "outcomes", "weight", "steps"),
    [
        ("keep", (S, S, S), 1.0, 3),
        ("keep", (S, A, S), None, 0),
        ("keep", (S, F, S), None, 0),
        ("drop", (S, A, F), 1.0, 3),
        ("drop", (S, E, S), None, 0),
        ("trim", (S, A, E), 1.0, 2),
        ("trim", (E, S, S), None, 0),
        ("weight", (S, E, A), 0.5, 3),
        ("weight", (E, E, F), None, 0),
        ("weight", (A, A, F), 1.0, 3),
    ],
)
def test_student_learns_from_the_jury(
    recipe: Recipe,
    pairs: list[Pair],
    tmp_path: Path,
    mode: str,
    outcomes: tuple[Outcome, ...],
    weight: float | None,
    steps: int,
) -> None:
    judged = chain(TEXT)
    manifest = build_corpus(
        [*pairs[:4], judged],
        changed(recipe, heldout=0.0),
        tmp_path,
        verdicts={judged.trace.id: verdicts(*outcomes)},
        mode=mode,  # type: ignore[arg-type]
    )
    assert manifest["verdicts"]["not judged"] == 4
    rows = [r for r in read_rows(tmp_path / "train.jsonl") if r.question_id == QUESTION.id]
    if weight is None:
        assert not rows
        assert sum(manifest["drops"].values()) == 1
        return
    assert rows[0].weight == weight
    assert len(re.findall(r"^\d\. ", rows[0].completion, re.MULTILINE)) == steps
    # A trimmed chain must not teach the student to stop where the jury cut.
    assert rows[0].completion.endswith("<|im_end|>") == (steps == 3)


def test_weights_are_expected_copies() -> None:
    rows = [
        SftRow(id=str(i), question_id="q", prompt="p", completion="c", weight=w)
        for i, w in enumerate((1, 0.5, 0.5, 2, 0))
    ]
    assert [r.id for r in repeat_by_weight(rows)] == ["0", "2", "3", "3"]


def test_the_corpus_loads_with_datasets_rendered_and_as_conversations(corpus: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    rendered = load_dataset(str(corpus), cache_dir=str(tmp_path))
    rows, _ = read_corpus(corpus)
    assert {split: len(of_split) for split, of_split in rendered.items()} == {
        "train": len(rows.train),
        "test": len(rows.heldout),
    }
    assert rendered["train"][0]["completion"] == rows.train[0].completion
    conversations = load_dataset(str(corpus), "messages", split="train", cache_dir=str(tmp_path))
    user, assistant = conversations[0]["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    assert rows.train[0].completion.startswith(assistant["content"])


def test_conversations_are_trained_on_as_they_stand(corpus: Path, recipe: Recipe, tmp_path: Path) -> None:
    manifest = build_corpus(
        read_pairs([corpus / "messages" / "train.jsonl"], "messages"),
        changed(recipe, heldout=0.0),
        tmp_path / "again",
        tokenizer_from=str(corpus / "student"),
    )
    before, _ = read_corpus(corpus)
    after, _ = read_corpus(tmp_path / "again")
    assert manifest["rows"]["train"] == len(before.train)
    assert sorted(r.prompt + r.completion for r in after.train) == sorted(r.prompt + r.completion for r in before.train)
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is 120 mmol/L low?"},
        {"role": "assistant", "content": "Of what?"},
        {"role": "user", "content": "Sodium."},
        {"role": "assistant", "content": "Yes, it is low."},
    ]
    (tmp_path / "talk.jsonl").write_text(json.dumps({"messages": talk}) + "\n")
    pairs = read_pairs([tmp_path / "talk.jsonl"], "messages")
    build_corpus(pairs, changed(recipe, heldout=0.0), tmp_path / "talk", tokenizer_from=str(corpus / "student"))
    (row,) = read_rows(tmp_path / "talk" / "train.jsonl")
    assert row.prompt.index("Be brief.") < row.prompt.index("Of what?") < row.prompt.index("Sodium.")
    assert row.completion == "Yes, it is low.<|im_end|>"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{}", "messages: Field required"),
        ("nonsense", "Invalid JSON"),
        ('{"messages": [{"role": "user", "content": "Hm?"}]}', "ends with the assistant's"),
        ('{"messages": [{"role": "tool", "content": "x"}, {"role": "assistant", "content": "y"}]}', "messages.0.role"),
    ],
)
def test_a_line_that_is_no_conversation_is_named(line: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(RecipeError, match=f"m.jsonl:1: no conversation .*{reason}"):
        read_pairs([file], "messages")


def test_a_finished_corpus_stays_and_is_refused_to_other_inputs(
    pairs: list[Pair], corpus: Path, recipe: Recipe, tmp_path: Path
) -> None:
    out, source = tmp_path / "corpus", str(corpus / "student")
    question = pairs[0].question
    examined = {"tokenizer_from": source, "evaluation": [question]}
    with pytest.raises(RecipeError, match="overlap with the evaluation questions"):
        build_corpus(pairs[:6], recipe, out, **examined)  # type: ignore[arg-type]
    # The refusal left nothing to continue: the same folder takes other inputs.
    build_corpus(pairs[:6], recipe, out, on_contamination="drop", **examined)  # type: ignore[arg-type]
    written = (out / "manifest.json").stat().st_mtime_ns
    faster = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"learning_rate": 1.0})})
    build_corpus(pairs[:6], faster, out, on_contamination="drop", **examined)  # type: ignore[arg-type]
    assert (out / "manifest.json").stat().st_mtime_ns == written, "a learning rate is no input of a corpus"
    with pytest.raises(RecipeError, match="was begun with different questions and traces"):
        build_corpus(pairs[:7], recipe, out, on_contamination="drop", **examined)  # type: ignore[arg-type]
    (out / "train.jsonl").write_text("")
    build_corpus(pairs[:6], recipe, out, on_contamination="drop", **examined)  # type: ignore[arg-type]
    assert (out / "train.jsonl").read_text(), "rows that were changed by hand are written again"
    (out / "inputs.json").unlink()
    with pytest.raises(RecipeError, match=r"manifest\.json without the inputs\.json"):
        build_corpus(pairs[:6], recipe, out, on_contamination="drop", **examined)  # type: ignore[arg-type]


def test_what_no_student_can_learn_from_is_refused_with_the_reason(
    corpus: Path, recipe: Recipe, tmp_path: Path
) -> None:
    wrong = [chain("1. It is high.\n\nThe answer is (B).", answer="B"), chain("1. Who knows.", answer=None)]
    with pytest.raises(RecipeError, match=r"no trace is left .*left out: wrong answer: 1, no answer found: 1\. Bring"):
        build_corpus(wrong, recipe, tmp_path / "wrong")
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(RecipeError, match=r"empty\.jsonl: no traces found"):
        read_pairs([tmp_path / "empty.jsonl"])
    untemplated = tmp_path / "untemplated"
    shutil.copytree(corpus / "student", untemplated)
    (untemplated / "chat_template.jinja").unlink()
    with pytest.raises(RecipeError, match=r"untemplated: the tokenizer has no chat template.*chat_template\.jinja"):
        build_corpus([chain("1. It is low.")], recipe, tmp_path / "c", tokenizer_from=str(untemplated))


def test_one_chain_is_a_corpus_without_held_out_rows(corpus: Path, recipe: Recipe, tmp_path: Path) -> None:
    only = chain("1. It is low.\n\nThe answer is (A).")
    manifest = build_corpus([only], recipe, tmp_path, tokenizer_from=str(corpus / "student"))
    assert manifest["rows"] == {"train": 1, "heldout": 0}
    split, _ = read_corpus(tmp_path)
    assert (len(split.train), split.heldout) == (1, [])
