"""What a finished student leaves on disk, and what the trainer is given besides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracejury.models import weights_path
from tracejury.training import Recipe, RecipeError, sample_arm, serving, train
from tracejury.training.backends import Loaded
from tracejury.training.exports import write_gguf
from tracejury.training.sampling import SampleSpec
from tracejury.training.serving import vllm_lora_rank
from tracejury.training.sft import trainer_arguments

pytestmark = pytest.mark.train


class WritesAsUnslothDoes:
    """A model whose conversion leaves 16-bit weights in the folder, the GGUF beside it, and returns the paths."""

    def __init__(self, gguf: Path | None) -> None:
        self.gguf = gguf

    def save_pretrained_gguf(self, save_directory: str, **_: Any) -> dict[str, Any]:
        folder = Path(save_directory)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"16 bit")
        beside = folder.with_name(f"{folder.name}_gguf")
        beside.mkdir()
        files = []
        if self.gguf:
            os.symlink(self.gguf, beside / "student.Q8_0.gguf")
            files.append(str(beside / "student.Q8_0.gguf"))
        return {"save_directory": str(folder), "gguf_directory": str(beside), "gguf_files": files}


@pytest.mark.llm
def test_the_gguf_that_unsloth_wrote_is_served_and_answers(tmp_path: Path) -> None:
    import asyncio

    from tracejury.models import Endpoint
    from tracejury.traces import Question, read
    from tracejury.training import Student

    out = tmp_path / "student" / "gguf"
    out.mkdir(parents=True)
    write_gguf(Loaded(WritesAsUnslothDoes(weights_path("smollm2-135m")), None), "q8_0", out)
    assert [file.name for file in out.iterdir()] == ["student.Q8_0.gguf"]
    assert [file.name for file in out.parent.iterdir()] == ["gguf"], "the 16-bit weights are gone"
    command = serving(tmp_path / "student").command
    assert command[0] == "llama-server"
    assert command[2] == str(out / "student.Q8_0.gguf")

    question = Question(stem="Which vitamin is ascorbic acid?", options={"A": "C", "B": "K"}, gold="A", source="s")
    endpoint = Endpoint(name="student", kind="embedded", model=command[2], max_concurrency=1, reply_format="text")
    manifest = asyncio.run(
        sample_arm(
            [question],
            endpoint,
            tmp_path / "sampled",
            arm="student",
            student=Student(model="smollm2-135m"),
            spec=SampleSpec(n=1, max_tokens=12),
            store=f"sqlite:///{tmp_path}/calls.db",
        )
    )
    assert manifest["traces"] == 1
    assert any(getattr(item, "text", "") for item in read("native", tmp_path / "sampled"))


def test_a_conversion_without_a_file_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / "gguf"
    out.mkdir()
    with pytest.raises(RecipeError, match="Unsloth wrote no GGUF"):
        write_gguf(Loaded(WritesAsUnslothDoes(None), None), "q8_0", out)


@pytest.mark.parametrize(("rank", "taken"), [(1, 8), (8, 8), (12, 16), (100, 128), (257, 320), (512, 512)])
def test_vllm_gets_a_rank_that_it_takes(rank: int, taken: int) -> None:
    assert vllm_lora_rank(rank) == taken


def test_vllm_serves_no_adapter_above_its_highest_rank() -> None:
    with pytest.raises(RecipeError, match=r"export\.merged"):
        vllm_lora_rank(513)


def with_trainer(recipe: Recipe, **options: Any) -> Recipe:
    return recipe.model_copy(update={"trainer": options})


def test_the_trainer_section_reaches_trl_and_the_manifest(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    short = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"max_steps": 2})})
    options = {"optim": "adafactor", "model_init_kwargs": {"attn_implementation": "eager"}}
    manifest = train(with_trainer(short, **options), corpus, tmp_path)
    assert manifest["recipe"]["trainer"] == options
    saved = next((tmp_path / "checkpoints").glob("checkpoint-*/training_args.bin"), None)
    assert saved is not None
    import torch

    assert torch.load(saved, weights_only=False).optim == "adafactor"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("learning_rate", r"trainer\.learning_rate: the recipe sets this itself"),
        ("output_dir", r"trainer\.output_dir: the recipe sets this itself"),
        ("optimm", r"trainer\.optimm: SFTConfig has no such argument; do you mean 'optim'"),
    ],
)
def test_a_trainer_option_that_cannot_be_is_refused(recipe: Recipe, tmp_path: Path, option: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        trainer_arguments(with_trainer(recipe, **{option: 1}), tmp_path, "trl", evaluates=False)


def test_loggers_are_off_until_the_recipe_names_one(recipe: Recipe, tmp_path: Path) -> None:
    assert trainer_arguments(recipe, tmp_path, "trl", evaluates=False)["report_to"] == "none"
    chosen = with_trainer(recipe, report_to="tensorboard")
    assert trainer_arguments(chosen, tmp_path, "trl", evaluates=False)["report_to"] == "tensorboard"


def test_four_bit_without_a_gpu_says_what_to_do(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    four_bit = recipe.model_copy(update={"student": recipe.student.model_copy(update={"load_in_4bit": True})})
    with pytest.raises(RecipeError, match=r"student\.load_in_4bit needs a CUDA GPU"):
        train(four_bit, corpus, tmp_path)


def test_four_bit_is_for_adapters(recipe: Recipe) -> None:
    whole = recipe.model_dump() | {"lora": None}
    whole["student"]["load_in_4bit"] = True
    with pytest.raises(ValueError, match="load_in_4bit trains an adapter"):
        Recipe.model_validate(whole)


LAUNCHED = """
import sys
from pathlib import Path
from tracejury.training import Recipe, train
train(Recipe.model_validate_json(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


def test_of_two_processes_the_first_writes(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    short = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"max_steps": 4, "batch": 2})})
    script = tmp_path / "train.py"
    script.write_text(LAUNCHED, encoding="utf-8")
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launcher += [
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        str(script),
        short.model_dump_json(),
        str(corpus),
        str(tmp_path / "out"),
    ]
    # With `--cpu`, accelerate starts one process whatever number it is given; this way there are two, on the CPU.
    environment = os.environ | {"ACCELERATE_USE_CPU": "true"}
    launched = subprocess.run(launcher, capture_output=True, text=True, timeout=280, env=environment)
    assert launched.returncode == 0, launched.stderr[-3000:]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["steps"] == 4
    assert (tmp_path / "out" / "merged" / "model.safetensors").is_file()
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if "loss" in entry] == [1, 2, 3, 4]
    # Two processes with two rows a step each: both worked.
    assert log[-1]["epoch"] == pytest.approx(4 * 2 * 2 / manifest["rows"]["train"], rel=0.15)
