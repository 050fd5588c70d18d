"""What training stands on: a bare machine runs the SFT modules, and Unsloth's calls fit the installed signatures."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import absent

pytestmark = pytest.mark.train

BARE = """
import json, sys
class Refuse:
    # The rest of tracejury's dependencies, and its other rooms: a GPU machine has none of them.
    names = {"langgraph", "langchain_core", "langchain_openai", "openai", "chromadb", "sqlalchemy", "tenacity",
             "rapidfuzz", "xllamacpp", "onnxruntime", "bm25s", "pint", "typer", "rich"}
    rooms = {"tracejury." + r for r in ("traces", "models", "retrieval", "agents", "graphs", "reports", "console")}
    def find_spec(self, name, path=None, target=None):
        caller = sys._getframe(1)
        while caller and "importlib" in caller.f_code.co_filename:
            caller = caller.f_back
        ours = caller is not None and "site-packages" not in caller.f_code.co_filename
        if name in self.rooms or (ours and name.partition(".")[0] in self.names):
            raise ModuleNotFoundError(f"{name} is not on a bare machine")
sys.meta_path.insert(0, Refuse())
from pathlib import Path
from tracejury.training import Recipe, train
import tracejury.training.generating, tracejury.training.notebook, tracejury.training.plots, tracejury.training.weights
recipe = Recipe.model_validate_json(sys.argv[1])
print(json.dumps(train(recipe, Path(sys.argv[2]), Path(sys.argv[3]))["steps"]))
assert not {"tracejury.traces", "tracejury.models", "langgraph", "chromadb"} & set(sys.modules)
"""

BIND = """
import inspect, sys
from pathlib import Path
import unsloth
from unsloth import FastLanguageModel
from unsloth.save import unsloth_save_pretrained_gguf, unsloth_save_pretrained_merged
from trl import SFTConfig, SFTTrainer
from tracejury.training import load_recipe
from tracejury.training.backends import (
    unsloth_gguf_arguments, unsloth_load_arguments, unsloth_lora_arguments, unsloth_merge_arguments,
)
from tracejury.training.sft import trainer_arguments
recipe = load_recipe("qwen3-8b")
here = Path(".")
calls = [
    (FastLanguageModel.from_pretrained, (), unsloth_load_arguments(recipe, "m")),
    (FastLanguageModel.from_pretrained, (), {"model_name": "m", "load_in_4bit": False}),
    (FastLanguageModel.get_peft_model, ("model",), unsloth_lora_arguments(recipe, recipe.lora)),
    (FastLanguageModel.for_inference, ("model",), {}),
    (unsloth_save_pretrained_merged, ("self",), unsloth_merge_arguments(here, "tokenizer")),
    (unsloth_save_pretrained_gguf, ("self",), unsloth_gguf_arguments(here, "tokenizer", "q8_0")),
    (SFTConfig.__init__, ("self",), trainer_arguments(recipe, here, "unsloth", True)),
    (SFTTrainer.__init__, ("self",), dict.fromkeys(
        ("model", "args", "train_dataset", "eval_dataset", "processing_class", "callbacks"))),
]
for function, given, named in calls:
    signature = inspect.signature(inspect.unwrap(function))
    open_ended = {n for n, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD}
    signature.bind(*given, **named)
    # **kwargs would take anything: what we name must be a parameter of its own.
    unknown = set(named) - set(signature.parameters)
    assert not unknown, (function, unknown, open_ended)
print("bound", len(calls))
"""


def test_sft_runs_with_the_training_stack_alone(recipe: object, corpus: Path, tmp_path: Path) -> None:
    short = recipe.model_copy(  # type: ignore[attr-defined]
        update={"schedule": recipe.schedule.model_copy(update={"max_steps": 2})}  # type: ignore[attr-defined]
    )
    command = [sys.executable, "-c", BARE, short.model_dump_json(), str(corpus), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1] == "2"


def test_every_call_into_unsloth_fits_its_signatures(tmp_path: Path) -> None:
    """Unsloth is installed without dependencies beside the stack: `UNSLOTH_SITE` names the folder."""
    site = os.environ.get("UNSLOTH_SITE", "")
    if not Path(site, "unsloth").is_dir() and importlib.util.find_spec("unsloth") is None:
        absent("unsloth", "unsloth is not installed and UNSLOTH_SITE names no folder that holds it")
    path = os.pathsep.join(p for p in (site, os.environ.get("PYTHONPATH", "")) if p)
    environment = os.environ | {"UNSLOTH_ALLOW_CPU": "1", "UNSLOTH_DISABLE_STATISTICS": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", BIND], capture_output=True, text=True, timeout=280, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "bound 8" in done.stdout
