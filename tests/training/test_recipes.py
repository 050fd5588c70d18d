"""Recipes and experiments: all that ship load, and mistakes are told with file and key."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.training import RecipeError, load_experiment, load_recipe

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = sorted(p.stem for p in (ROOT / "configs" / "students").glob("*.yaml"))
KINDS = {"recipe": "students", "experiment": "experiments"}
EXPERIMENTS = sorted(p.stem for p in (ROOT / "configs" / "experiments").glob("*.yaml"))
WANTED = {"qwen3-8b", "qwen3-14b", "qwen3-32b", "llama-3.1-8b", "mistral-7b", "weak-teacher", "answer-only"}


def test_the_recipes_of_the_paper_ship() -> None:
    assert WANTED | {"smollm2-135m", "tiny"} <= set(STUDENTS)


@pytest.mark.parametrize("name", STUDENTS)
def test_recipe_loads_under_its_own_name(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_names_a_recipe_that_loads(name: str) -> None:
    experiment, _ = load_experiment(name)
    assert load_recipe(experiment.recipe).name == experiment.recipe


def test_main_recipe_holds_the_figures_of_the_paper() -> None:
    recipe = load_recipe("qwen3-8b")
    assert recipe.lora is not None
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout, len(recipe.lora.targets)) == (16, 32, 0.05, 7)
    schedule = recipe.schedule
    assert (schedule.learning_rate, schedule.scheduler, schedule.warmup, schedule.epochs) == (2e-5, "cosine", 0.05, 3)
    assert (schedule.batch, schedule.accumulation, schedule.max_length, schedule.seed) == (2, 8, 3072, 42)
    assert (schedule.precision, recipe.corpus.heldout, recipe.student.think) == ("bf16", 0.02, "empty")


def test_main_experiment_is_the_papers() -> None:
    experiment, _ = load_experiment("medqa-qwen3-8b")
    assert [source.reader for source in experiment.teacher.questions] == ["medqa", "medmcqa"]
    assert (experiment.evaluation.first, experiment.evaluation.limit, experiment.sample.n) == (500, None, 64)


def test_misspelt_key_is_told_with_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nstudent: {model: m}\nschedule: {learning_rat: 1}\n")
    with pytest.raises(RecipeError, match=r"mine\.yaml:3: schedule\.learning_rat"):
        load_recipe(file)


def test_unknown_name_offers_a_near_one() -> None:
    with pytest.raises(RecipeError, match="did you mean 'qwen3-8b'"):
        load_recipe("qwen3-8B")


def test_experiment_without_a_teacher_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: m\nteacher: {}\nrecipe: tiny\nevaluation: {path: q.jsonl}\npanel: embedded\n")
    with pytest.raises(RecipeError, match="either `chains`, or `endpoint` and `questions`"):
        load_experiment(file)


@pytest.fixture(scope="module")
def editors() -> dict[str, Draft202012Validator]:
    """The schemas as the command prints them, by the kind of file: what an editor is given."""
    schemas = {kind: json.loads(CliRunner().invoke(app, ["student", "schema", kind]).stdout) for kind in KINDS}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    return {kind: Draft202012Validator(schema) for kind, schema in schemas.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_takes_what_ships(kind: str, editors: dict[str, Draft202012Validator]) -> None:
    for file in sorted((ROOT / "configs" / KINDS[kind]).glob("*.yaml")):
        assert [error.message for error in editors[kind].iter_errors(yaml.safe_load(file.read_text()))] == [], file.name


EXPERIMENT = "recipe: tiny\npanel: embedded\nevaluation: {path: q.jsonl}\n"


@pytest.mark.parametrize(
    ("kind", "content", "where"),
    [
        ("recipe", "student: {model: m}\nschedule: {learning_rat: 1}", ["schedule"]),
        ("recipe", "student: {model: m, thinks: none}", ["student"]),
        ("recipe", "student: {model: m}\nbackend: unslot", ["backend"]),
        ("recipe", "student: {model: m}\nlora: {r: 0}", ["lora"]),
        ("recipe", "lora: null", []),
        ("experiment", EXPERIMENT + "teacher: {chains: {pat: a}}", ["teacher", "chains"]),
        ("experiment", EXPERIMENT + "teacher: {chains: {path: a}}\nsample: {n: 0}", ["sample", "n"]),
    ],
)
def test_editor_and_loader_refuse_the_same(
    kind: str, content: str, where: list[str], editors: dict[str, Draft202012Validator], tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"# yaml-language-server: $schema={kind}.schema.json\nname: mine\n{content}\n")
    errors = list(editors[kind].iter_errors(yaml.safe_load(file.read_text())))
    assert [list(error.absolute_path) for error in errors] == [where]
    with pytest.raises(RecipeError, match=r"mine\.yaml:\d"):
        load_recipe(file) if kind == "recipe" else load_experiment(file)
