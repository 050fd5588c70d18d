"""Training on a CPU with plain TRL: it learns, survives a kill, tells what is wrong."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tracejury.training import Recipe, RecipeError, load_recipe, train
from tracejury.training.backends import choose_backend
from tracejury.training.memory import require_memory
from tracejury.training.rows import hash_files, read_rows, write_json, write_rows

pytestmark = pytest.mark.train

KILLED = """
import os, signal, sys
from pathlib import Path
from tracejury.training import Recipe, train
recipe, corpus, out = Recipe.model_validate_json(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
def at_step_7(step, of, seen):
    if step == 7:
        os.kill(os.getpid(), signal.SIGKILL)
train(recipe, corpus, out, report=at_step_7)
"""


def losses(student: Path) -> list[float]:
    history = [json.loads(line) for line in (student / "log.jsonl").read_text().splitlines()]
    return [h["loss"] for h in history if "loss" in h]


@pytest.fixture(scope="module")
def student(recipe: Recipe, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("student")
    train(recipe, corpus, out)
    return out


def test_training_learns_and_says_what_it_did(student: Path, corpus: Path) -> None:
    manifest = json.loads((student / "manifest.json").read_text())
    curve = losses(student)
    assert len(curve) == manifest["steps"] == 12
    assert curve[-1] < curve[0] - 0.2
    assert manifest["eval_loss"]["last"] < manifest["eval_loss"]["first"]
    assert manifest["backend"] == "trl"
    assert manifest["tokens_per_s"] > 0
    assert manifest["resident_gib"] > 0
    assert manifest["versions"]["trl"]
    assert manifest["data_sha256"] == hash_files([corpus / "train.jsonl", corpus / "heldout.jsonl"])
    assert (student / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert (student / "adapter" / "adapter_model.safetensors").is_file()
    assert (student / "merged" / "model.safetensors").is_file()
    for folder, library in (("adapter", "peft"), ("merged", "transformers")):
        card = ModelCard.load(student / folder / "README.md")
        assert card.data.library_name == library
        assert manifest["data_sha256"] in card.text
        assert "12 steps" in card.text
        assert "enable_thinking=False" in card.text, "how it is prompted"


def test_the_same_command_again_does_nothing_and_another_recipe_is_refused(
    student: Path, recipe: Recipe, corpus: Path
) -> None:
    before = (student / "manifest.json").read_text()
    train(recipe, corpus, student)
    assert (student / "manifest.json").read_text() == before
    other = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"seed": 1})})
    with pytest.raises(RecipeError, match="was begun with different recipe"):
        train(other, corpus, student)


def test_kill_and_resume_gives_the_same_loss_curve(student: Path, recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, recipe.model_dump_json(), str(corpus), str(tmp_path)]
    killed = subprocess.run(command, capture_output=True, timeout=280)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "manifest.json").exists()
    # A checkpoint that the kill caught half-written must not be taken for whole.
    shutil.copytree(tmp_path / "checkpoints" / "checkpoint-4", tmp_path / "checkpoints" / "checkpoint-6")
    (tmp_path / "checkpoints" / "checkpoint-6" / "whole.json").unlink()
    (tmp_path / "checkpoints" / "checkpoint-6" / "optimizer.pt").write_bytes(b"half")
    manifest = train(recipe, corpus, tmp_path)
    assert manifest["resumed_at"] == 4
    assert manifest["dropped_checkpoints"] == ["checkpoint-6"]
    assert losses(tmp_path) == pytest.approx(losses(student), abs=1e-6)


def test_full_disk_is_told_and_leaves_nothing_that_looks_whole(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        with pytest.raises(RecipeError, match=r"the disk is full .* run the same command"):
            train(recipe, corpus, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / "manifest.json").exists()
    assert not (tmp_path / "adapter").exists()


def test_corpus_without_a_trainable_token_is_refused(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "corpus")
    rows = [r.model_copy(update={"completion": ""}) for r in read_rows(corpus / "train.jsonl")]
    write_rows(tmp_path / "corpus" / "train.jsonl", rows)
    digest = hash_files([tmp_path / "corpus" / "train.jsonl", tmp_path / "corpus" / "heldout.jsonl"])
    write_json(tmp_path / "corpus" / "manifest.json", {"data_sha256": digest})
    with pytest.raises(RecipeError, match="not a single trainable token"):
        train(recipe, tmp_path / "corpus", tmp_path / "out")


def test_unfinished_corpus_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no finished corpus .* Run `tracejury student corpus` first"):
        train(recipe, tmp_path, tmp_path / "out")


def test_unsloth_without_a_gpu_says_what_to_do() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert choose_backend("auto") == "trl"
    with pytest.raises(RecipeError, match=r"needs a CUDA GPU.*--backend trl"):
        choose_backend("unsloth")


def test_too_little_memory_says_what_would_fit(recipe: Recipe, corpus: Path) -> None:
    weights = str(corpus / "student")
    whole = require_memory(weights, recipe, half=False, free=2**34)
    with pytest.raises(RecipeError, match=r"would fit with schedule\.batch 1, accumulation 4 and max_length"):
        require_memory(weights, recipe, half=False, free=whole.total - 1)
    with pytest.raises(RecipeError, match="No batch fits"):
        require_memory(weights, recipe, half=False, free=2**18)


def test_adapter_targets_that_the_model_lacks_are_told(recipe: Recipe, corpus: Path) -> None:
    assert recipe.lora is not None
    wrong = recipe.model_copy(update={"lora": recipe.lora.model_copy(update={"targets": ("c_attn",)})})
    with pytest.raises(RecipeError, match=r"none of lora\.targets \['c_attn'\] is a layer.*q_proj"):
        require_memory(str(corpus / "student"), wrong, half=False)


def test_packing_does_not_let_rows_see_each_other(recipe: Recipe, corpus: Path) -> None:
    """The loss of rows packed into one sequence is the mean over their tokens of their losses apart."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from tracejury.training.tokens import encode

    tokenizer = AutoTokenizer.from_pretrained(corpus / "student")
    model = AutoModelForCausalLM.from_pretrained(corpus / "student").eval()
    rows = [encode(r, tokenizer) for _, r in zip(range(3), read_rows(corpus / "train.jsonl"), strict=False)]
    collate = DataCollatorForLanguageModeling(tokenizer.pad_token_id, padding_free=True)
    with torch.no_grad():
        packed = model(**collate([r._asdict() for r in rows]), use_cache=False).logits[0]  # as the trainer does
        start = 0
        for row in rows:
            apart = model(input_ids=torch.tensor([row.input_ids])).logits[0]
            assert torch.allclose(packed[start : start + len(apart)], apart, atol=1e-4)
            start += len(apart)


def test_gguf_export_wants_unsloth(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    export = recipe.export.model_copy(update={"gguf": "q8_0"})
    with pytest.raises(RecipeError, match=r"export\.gguf needs the unsloth back end"):
        train(recipe.model_copy(update={"export": export}), corpus, tmp_path)


def test_weights_that_were_not_fetched_are_asked_for(corpus: Path, tmp_path: Path) -> None:
    from tracejury.training.weights import make_trainable

    with pytest.raises(RecipeError, match=r"tracejury models fetch"):
        make_trainable(tmp_path / "none.gguf", tmp_path / "out")
    shutil.copytree(corpus, tmp_path / "c", ignore=shutil.ignore_patterns("student"))
    with pytest.raises(RecipeError, match=r"no weights for student\.model 'fetched:smollm2-135m'"):
        train(load_recipe("smollm2-135m"), tmp_path / "c", tmp_path / "s")
