"""A tiny corpus and student, made once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several threads on tiny matrices only get in each other's way

torch = pytest.importorskip("torch", reason="the training stack is not installed: pip install 'tracejury[train]'")
torch.set_num_threads(1)

from tracejury.training import Pair, Recipe, build_corpus, load_recipe, read_pairs  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "configs" / "experiments" / "tiny"


@pytest.fixture(scope="session")
def pairs() -> list[Pair]:
    """The tiny experiment's careful chains."""
    return read_pairs([TINY / "teacher.jsonl"])


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """The tiny student, trained for 12 short steps."""
    tiny = load_recipe("tiny")
    schedule = {"max_steps": 12, "save_every": 4, "batch": 4, "warmup": 0.0}
    return tiny.model_copy(update={"schedule": tiny.schedule.model_copy(update=schedule)})


@pytest.fixture(scope="session")
def corpus(pairs: list[Pair], recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 40 chains, with its random student."""
    folder = tmp_path_factory.mktemp("corpus")
    build_corpus(pairs[:40], recipe, folder)
    return folder
