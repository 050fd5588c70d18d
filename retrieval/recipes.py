"""How a source is made: a registered name with parameters, or a YAML file that says both."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, JsonValue, ValidationError

from tracejury.retrieval.records import Source
from tracejury.retrieval.registered import sources
from tracejury.traces import Record

_SUFFIXES = {".yaml", ".yml"}


class SourceRecipe(Record):
    """A source as a file or a command line names it; the same recipe makes the same source again."""

    source: str = ""
    """A registered name. "": an object handed over in code, which nobody else can make again."""
    params: dict[str, JsonValue] = Field(default_factory=dict)

    def make(self) -> Source:
        """Make the source.

        Raises:
            ValueError: The parameters do not fit; the message says which there are.
        """
        try:
            return sources.make(self.source, **self.params)
        except TypeError as unfit:
            raise ValueError(
                f"source {self.source!r}: {str(unfit).partition('() ')[2] or unfit}; see `tracejury sources`"
            ) from unfit


def load_recipe(name: str, params: Mapping[str, JsonValue] | None = None) -> SourceRecipe:
    """Read a recipe.

    Args:
        name: A registered source, a YAML file with `source` and `params`, or the name of a shipped one
            (`tracejury/configs/sources/`).
        params: Added to the file's, or put in their place.

    Raises:
        ValueError: The file is no recipe; the message names the file and the field.
    """
    path = Path(name).expanduser()
    if path.suffix in _SUFFIXES:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        return _read(str(path), path.read_text("utf-8"), params or {})
    if name not in {e.name for e in sources.entries()}:
        shipped = files("tracejury.configs") / "sources" / f"{name}.yaml"
        if shipped.is_file():
            return _read(f"{name}.yaml", shipped.read_text("utf-8"), params or {})
    return SourceRecipe(source=name, params=dict(params or {}))


def _read(where: str, text: str, params: Mapping[str, JsonValue]) -> SourceRecipe:
    try:
        body: Any = yaml.safe_load(text)
        recipe = SourceRecipe.model_validate(body)
    except yaml.YAMLError as bad:
        raise ValueError(f"{where}: not valid YAML: {bad}") from bad
    except ValidationError as bad:
        first = bad.errors()[0]
        raise ValueError(
            f"{where}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}; give `source` and `params`"
        ) from bad
    return recipe.model_copy(update={"params": {**recipe.params, **params}})
