"""One loader for all configuration files: by a shipped name or by path, with file and line in every error.

Imports nothing but the standard library, pydantic and yaml, so that a GPU machine can load a student's recipe.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tracejury.configs.yaml_reading import RefusedYamlError, compose_checked

M = TypeVar("M", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration file cannot be used. The message says where (file:line), why, and what to do next."""


class ConfigKind(NamedTuple):
    """A kind of configuration file: panels, sources, students, experiments, controls."""

    folder: str
    """The folder below `configs/` that holds the shipped ones."""
    noun: str
    error: type[ValueError] = ConfigError
    """What is raised for a file of this kind."""
    hint: str = ""
    """Ends every message about a file's fields; says where they are described."""


class ConfigFile:
    """A YAML mapping, with the line of every entry.

    Attributes:
        path: Where it was read.
        kind: What it configures.
        data: The mapping. It may be changed before `record`; lines are those of the file.
    """

    def __init__(self, path: Path, kind: ConfigKind) -> None:
        self.path, self.kind = path, kind
        try:
            self._root, data = compose_checked(path.read_bytes().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            byte = f"byte 0x{error.object[error.start]:02x}"
            raise kind.error(f"{path}:{line}: not UTF-8 text ({byte}); is it the right file?") from None
        except RefusedYamlError as refused:
            raise kind.error(f"{path}:{refused.line}: {refused}") from refused
        except yaml.YAMLError as invalid:
            mark = getattr(invalid, "problem_mark", None)
            where = f"{path}:{mark.line + 1}" if mark else str(path)
            reason = getattr(invalid, "problem", None) or invalid
            raise kind.error(f"{where}: not YAML: {reason}; correct the line") from invalid
        if not isinstance(data, dict):
            raise kind.error(f"{path}:1: a {kind.noun} is a mapping of names to values{_with(kind.hint)}")
        self.data: dict[str, Any] = data

    def line(self, location: Sequence[str | int]) -> int:
        """Return the line (from 1) of the deepest entry that exists on the way `location` into the file."""
        line, node = self._root.start_mark.line + 1, self._root
        for part in location:
            if isinstance(node, yaml.MappingNode):
                entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
                if entry is None:
                    break
                line, node = entry[0].start_mark.line + 1, entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return int(line)

    def problem(self, location: Sequence[str | int], reason: object) -> ValueError:
        """Return the error, for the caller to raise, that something is wrong at `location`."""
        return self.kind.error(f"{self.path}:{self.line(location)}: {reason}")

    def record(self, model: type[M], defaults: Mapping[str, Any] | None = None) -> M:
        """Return the file as a record of type `model`.

        Args:
            model: The record.
            defaults: Values of fields that the file leaves out.

        Raises:
            ValueError: Fields do not fit; each is named with its line. The class is the kind's `error`.
        """
        try:
            return model.model_validate({**(defaults or {}), **self.data})
        except ValidationError as invalid:
            reasons = "\n".join(self._reason(error) for error in invalid.errors(include_input=False))
            raise self.kind.error(f"{reasons}{_with(self.kind.hint)}") from invalid

    def _reason(self, error: Any) -> str:
        # A validator of the whole record puts its own name, with brackets, into the location.
        location = [part for part in error["loc"] if "[" not in str(part)]
        field = ".".join(map(str, location))
        reason = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            reason = "unknown field; remove it or correct its spelling"
        return f"{self.path}:{self.line(location)}: {field + ': ' if field else ''}{reason}"


def shipped_names(kind: ConfigKind) -> tuple[str, ...]:
    """Return the names of the configuration files of this kind that ship with the package, sorted."""
    folder = files("tracejury.configs") / kind.folder
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")))


def open_config(kind: ConfigKind, name_or_path: str | Path) -> ConfigFile:
    """Open a configuration file by the name of a shipped one, or by the path of one's own.

    Raises:
        ValueError: There is no such file, or it is not a YAML mapping. The class is the kind's `error`.
    """
    path = Path(name_or_path).expanduser()
    names = ", ".join(shipped_names(kind))
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        if not path.is_file():
            raise kind.error(f"{path}: no such file; shipped with the package: {names}")
        return ConfigFile(path, kind)
    if str(name_or_path) not in shipped_names(kind):
        near = difflib.get_close_matches(str(name_or_path), shipped_names(kind), n=1)
        suggestion = f"; did you mean {near[0]!r}?" if near else ";"
        raise kind.error(f"no {kind.noun} called {str(name_or_path)!r}{suggestion} known: {names}, or a .yaml file")
    return ConfigFile(Path(str(files("tracejury.configs") / kind.folder / f"{name_or_path}.yaml")), kind)


def _with(hint: str) -> str:
    return f"; {hint}" if hint else ""
