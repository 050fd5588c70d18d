"""The jury as a reward: what it gives, what it masks, and that TRL trains on it.

That a student really learns from it, against shuffled rewards, is measured by benchmarks/grpo.py.
"""

import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from servers.model_server import ModelServer

from tracejury.agents import JudgeSpec, Panel, load_panel
from tracejury.models import Endpoint
from tracejury.training import JuryReward, Pair, Recipe, RecipeError, RewardControl, reinforce

pytestmark = pytest.mark.train

SHUFFLED = RewardControl.SHUFFLED_BOTH
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


def test_controls_hand_out_other_rewards_and_keep_the_jurys_figures(pairs: list[Pair], tmp_path: Path) -> None:
    question, trace = next(p for p in pairs if "tablets" in p.trace.text and p.question.gold == "B")
    chains = [trace.text, trace.text.replace("= 2 tablets", "= 7 tablets"), f"The answer is ({question.gold})."]
    panel, handed_out, histories = load_panel(TINY / "panel.yaml"), {}, []
    for control in RewardControl:
        store = f"sqlite:///{tmp_path}/{control}.db"
        with JuryReward(panel, {question.id: question}, store=store, control=control) as reward:
            handed_out[control] = reward(["p"] * 3, chains, [question.id] * 3)
            histories.append(reward.history)
    assert all(history == histories[0] for history in histories)
    assert histories[0][0]["silent"] == pytest.approx(1 / 3)
    jury = handed_out[RewardControl.NONE]
    assert jury[0] > jury[2] > jury[1], "all answers are right: sound, silent, false"
    assert handed_out[RewardControl.ANSWER_ONLY] == [1, 1, 1]
    for control in (RewardControl.SHUFFLED_STEPS, RewardControl.SHUFFLED_BOTH):
        assert sorted(handed_out[control]) == sorted(jury)
        assert handed_out[control] != jury


def test_failures_are_masked_and_never_rewarded(model_server: ModelServer, pairs: list[Pair], tmp_path: Path) -> None:
    question, trace = pairs[0]
    dead = Endpoint(name="dead", model="m", base_url=model_server.url, max_attempts=1)
    panel = Panel(
        name="dead",
        endpoints={"dead": dead},
        judges=(JudgeSpec(name="inference", judge="inference", endpoint="dead"),),
    )
    model_server.reset(mode="500")
    with JuryReward(panel, {question.id: question}, store=f"sqlite:///{tmp_path}/c.db") as reward:
        assert reward(["p"], [trace.text], [question.id]) == [None]
        assert reward.history[-1]["masked"] == 1
        assert math.isnan(reward.history[-1]["reward"])
        calls = model_server.counts()["calls"]
        reward(["p"], [trace.text], [question.id])
        assert model_server.counts()["calls"] > calls, "a failure must be asked again, not remembered"


KILLED = """
import os, signal, sys
from pathlib import Path
from tracejury.agents import load_panel
from tracejury.traces import Question
from tracejury.training import JuryReward, Recipe, reinforce
recipe, weights, out = Recipe.model_validate_json(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
questions = [Question.model_validate_json(line) for line in Path(sys.argv[4]).read_text().splitlines()]
def at_step_5(step, of, seen):
    if step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
known = {q.id: q for q in questions}
with JuryReward(load_panel(sys.argv[5]), known, store=f"sqlite:///{out}/c.db", control="shuffled-both") as reward:
    reinforce(recipe, weights, questions, reward, out, report=at_step_5)
"""


def test_a_kill_loses_no_step_and_the_same_call_goes_on_from_the_last_whole_checkpoint(
    recipe: Recipe, corpus: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    assert recipe.grpo is not None
    spec = recipe.grpo.model_copy(update={"steps": 6, "prompts": 1, "generations": 2, "max_tokens": 8})
    schedule = recipe.schedule.model_copy(update={"save_every": 2})
    short = recipe.model_copy(update={"grpo": spec, "schedule": schedule})
    questions = [p.question for p in pairs[:4]]
    panel = load_panel(TINY / "panel.yaml")
    asked = tmp_path / "questions.jsonl"
    asked.write_text("".join(q.model_dump_json() + "\n" for q in questions), encoding="utf-8")

    def reinforced(out: Path, this: Recipe = short) -> dict[str, Any]:
        store = f"sqlite:///{out}/c.db"
        with JuryReward(panel, {q.id: q for q in questions}, store=store, control=SHUFFLED) as reward:
            return reinforce(this, str(corpus / "student"), questions, reward, out)

    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, out = reinforced(tmp_path / "whole"), tmp_path / "killed"
    command = [short.model_dump_json(), corpus / "student", out, asked, TINY / "panel.yaml"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, command)], capture_output=True, timeout=280)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert not (out / "manifest.json").exists()
    # A checkpoint that the kill caught half-written must not be taken for whole.
    shutil.copytree(out / "checkpoints" / "checkpoint-4", out / "checkpoints" / "checkpoint-5")
    (out / "checkpoints" / "checkpoint-5" / "whole.json").unlink()
    resumed = reinforced(out)
    assert (resumed["resumed_at"], resumed["steps"]) == (4, 6)
    assert len(resumed["rewards"]) == 6
    # The same chains earn the same, before the checkpoint and after it: the kill has left no mark.
    assert json.dumps(resumed["rewards"]) == json.dumps(whole["rewards"])
    trained, again = (next(at.glob("[am]*/*.safetensors")).read_bytes() for at in (tmp_path / "whole", out))
    assert trained == again
    told = (out / "rewards.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in told] == resumed["rewards"]
    assert reinforced(out) == json.loads((out / "manifest.json").read_text()), "finished: nothing is trained again"
    with pytest.raises(RecipeError, match="was begun with different recipe"):
        reinforced(out, short.model_copy(update={"name": "other"}))


def test_a_student_is_reinforced_and_shuffling_hands_out_the_same_rewards(
    recipe: Recipe, corpus: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    assert recipe.grpo is not None
    spec = recipe.grpo.model_copy(update={"steps": 2, "prompts": 1, "generations": 2, "max_tokens": 6})
    short = recipe.model_copy(update={"grpo": spec})
    questions = [p.question for p in pairs[:4]]
    panel = load_panel(TINY / "panel.yaml")
    with JuryReward(
        panel, {q.id: q for q in questions}, store=f"sqlite:///{tmp_path}/c.db", control=SHUFFLED
    ) as reward:
        manifest = reinforce(short, str(corpus / "student"), questions, reward, tmp_path)
    assert manifest["steps"] == len(reward.history) == 2
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    assert json.loads((tmp_path / "manifest.json").read_text())["panel"] == panel.name
    with pytest.raises(RecipeError, match="no `grpo` section"):
        reinforce(recipe.model_copy(update={"grpo": None}), str(corpus / "student"), questions, reward, tmp_path)


def test_a_panel_that_abstains_on_everything_rewards_answers_alone(pairs: list[Pair], tmp_path: Path) -> None:
    question, _ = pairs[0]
    vague = "1. The patient should perhaps be followed up for some time.\n\nThe answer is ({})."
    other = next(letter for letter in question.options if letter != question.gold)
    panel, store = load_panel(TINY / "panel.yaml"), f"sqlite:///{tmp_path}/c.db"
    with JuryReward(panel, {question.id: question}, store=store) as reward:
        assert reward(["p"] * 2, [vague.format(question.gold), vague.format(other)], [question.id] * 2) == [1.0, 0.0]
        assert (reward.history[0]["balance"], reward.history[0]["silent"], reward.history[0]["masked"]) == (0, 0, 0)
