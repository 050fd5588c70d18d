"""How a source is made: a registered name with parameters, or a YAML file that says both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, JsonValue

from tracejury.configs.loading import ConfigKind, open_config, shipped_names
from tracejury.retrieval import sources
from tracejury.retrieval.records import Source, Trust
from tracejury.traces import PluginError, Record

SOURCES = ConfigKind("sources", "source", hint="give `source` and `params`")


class SourceRecipe(Record):
    """A source as a file or a command line names it; the same recipe makes the same source again."""

    source: str = ""
    """A registered name. "": an object handed over in code, which nobody else can make again."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    trust: Trust | None = None
    """What the user says of it; None: see `source_trust`."""

    @property
    def title(self) -> str:
        """What to call it in messages: the name that it is indexed under."""
        return str(self.params.get("name", self.source))

    def make(self) -> Source:
        """Make the source.

        Raises:
            ValueError: The parameters do not fit; the message says which there are.
        """
        try:
            return sources.make(self.source, **self.params)
        except PluginError:
            raise
        except TypeError as unfit:
            raise ValueError(
                f"source {self.source!r}: {str(unfit).partition('() ')[2] or unfit}; see `tracejury index sources`"
            ) from unfit


def load_recipe(name: str, params: Mapping[str, JsonValue] | None = None) -> SourceRecipe:
    """Read a recipe.

    Args:
        name: A registered source, a YAML file with `source` and `params`, or the name of a shipped one
            (`tracejury/configs/sources/`).
        params: Added to the file's, or put in their place.

    Raises:
        ValueError: The file is no recipe; the message names the file, the line and the field.
    """
    registered = name in {e.name for e in sources.entries()}
    if Path(name).suffix in {".yaml", ".yml"} or (name in shipped_names(SOURCES) and not registered):
        recipe = open_config(SOURCES, name).record(SourceRecipe)
        return recipe.model_copy(update={"params": {**recipe.params, **(params or {})}})
    return SourceRecipe(source=name, params=dict(params or {}))
