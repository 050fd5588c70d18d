"""The jury as a reward: what it gives, what it masks, and that TRL trains on it.

That a student really learns from it, against shuffled rewards, is measured by benchmarks/grpo.py.
"""

import json
import math
from pathlib import Path

import pytest
from servers.model_server import ModelServer

from tracejury.agents import JudgeSpec, Panel, load_panel
from tracejury.models import Endpoint
from tracejury.training import JuryReward, Pair, Recipe, RecipeError, reinforce

pytestmark = pytest.mark.train

TINY = Path(__file__).resolve().parents[2] / "configs" / "experiments" / "tiny"


def test_right_answers_and_steps_that_hold_are_rewarded(pairs: list[Pair], tmp_path: Path) -> None:
    question, trace = next(p for p in pairs if "tablets" in p.trace.text and p.question.gold == "B")
    wrong = trace.text.replace("= 2 tablets", "= 7 tablets")
    unanswered = trace.text.replace("The answer is (B).", "")
    with JuryReward(
        load_panel(TINY / "panel.yaml"), {question.id: question}, store=f"sqlite:///{tmp_path}/c.db"
    ) as reward:
        right, false, open_ended = reward(["p"] * 3, [trace.text, wrong, unanswered], [question.id] * 3)
    assert right is not None
    assert false is not None
    assert open_ended is not None
    assert right > false
    assert right == pytest.approx(open_ended + 1)
    assert reward.history[0]["right"] == pytest.approx(2 / 3)


def test_failures_are_masked_and_never_rewarded(model_server: ModelServer, pairs: list[Pair], tmp_path: Path) -> None:
    question, trace = pairs[0]
    dead = Endpoint(name="dead", model="m", base_url=model_server.url, max_attempts=1)
    panel = Panel(
        name="dead",
        endpoints={"dead": dead},
        judges=(JudgeSpec(name="inference", judge="inference", endpoint="dead"),),
    )
    model_server.reset(mode="404")
    with JuryReward(panel, {question.id: question}, store=f"sqlite:///{tmp_path}/c.db") as reward:
        assert reward(["p"], [trace.text], [question.id]) == [None]
        assert reward.history[-1]["masked"] == 1
        assert math.isnan(reward.history[-1]["reward"])
        calls = model_server.counts()["calls"]
        reward(["p"], [trace.text], [question.id])
        assert model_server.counts()["calls"] > calls, "a failure must be asked again, not remembered"


def test_a_student_is_reinforced_and_shuffling_hands_out_the_same_rewards(
    recipe: Recipe, corpus: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    assert recipe.grpo is not None
    spec = recipe.grpo.model_copy(update={"steps": 2, "prompts": 1, "generations": 2, "max_tokens": 6})
    short = recipe.model_copy(update={"grpo": spec})
    questions = [p.question for p in pairs[:4]]
    panel = load_panel(TINY / "panel.yaml")
    with JuryReward(panel, {q.id: q for q in questions}, store=f"sqlite:///{tmp_path}/c.db", shuffled=1) as reward:
        manifest = reinforce(short, str(corpus / "student"), questions, reward, tmp_path)
    assert manifest["steps"] == len(reward.history) == 2
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    assert json.loads((tmp_path / "manifest.json").read_text())["panel"] == panel.name
    with pytest.raises(RecipeError, match="no `grpo` section"):
        reinforce(recipe.model_copy(update={"grpo": None}), str(corpus / "student"), questions, reward, tmp_path)
