"""Every kind of configuration file: shipped ones load by name, and a fault names file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tracejury.agents import load_panel
from tracejury.reports import load_controls
from tracejury.retrieval import load_recipe as load_source
from tracejury.training import load_experiment
from tracejury.training import load_recipe as load_student

LOADERS: dict[str, Callable[[str], object]] = {
    "panel": load_panel,
    "source": load_source,
    "control": lambda path: load_controls((path,)),
    "recipe": load_student,
    "experiment": load_experiment,
}


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("name: mine\nmisspelt_key: 1\n", ":2: misspelt_key: unknown field", "spelling"),
        ("a: 1\nb: [1\n", ":3: not YAML", "correct the line"),
        ("- a list\n", ":1: ", "is a mapping of names to values"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, kind: str, text: str, where: str, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=reason) as error:
        LOADERS[kind](str(path))
    assert f"{path}{where}" in str(error.value)


@pytest.mark.parametrize("kind", LOADERS)
def test_a_missing_file_is_named(tmp_path: Path, kind: str) -> None:
    with pytest.raises((ValueError, OSError), match=r"away\.yaml: no such file"):
        LOADERS[kind](str(tmp_path / "away.yaml"))


@pytest.mark.parametrize(("kind", "name"), [("panel", "embeded"), ("recipe", "qwen3-8B"), ("control", "windoes")])
def test_a_misspelt_name_gets_a_suggestion(kind: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"no {kind} called '{name}'; did you mean"):
        LOADERS[kind](name)
