"""Reading YAML that somebody else wrote: no key twice, no bomb of aliases, no depth that breaks the parser."""

from __future__ import annotations

from typing import Any

import yaml

MOST_NODES = 20_000
"""Entries of a file, with every alias counted as often as it is used."""
MOST_LEVELS = 60


class RefusedYamlError(ValueError):
    """The text is YAML that is not read; `line` (from 1) says where."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def compose_checked(text: str) -> tuple[Any, Any]:
    """Return the root node and the data of a YAML text.

    Raises:
        yaml.YAMLError: It is no YAML.
        RefusedYamlError: A key stands twice in one mapping, it is too large or too deep, or a value cannot be read.
    """
    _check_size(text)
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    _refuse_repeated_keys(root)
    try:
        return root, yaml.safe_load(text)
    except yaml.YAMLError:
        raise
    except (ValueError, TypeError) as unreadable:
        raise RefusedYamlError(1, f"a value cannot be read: {unreadable}") from unreadable


def _check_size(text: str) -> None:
    """Count the entries on the parser's events, before anything is built."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_nodes.append((event.anchor, 1))
            if len(open_nodes) > MOST_LEVELS:
                raise RefusedYamlError(line, f"it is nested more than {MOST_LEVELS} levels deep")
            continue
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
            sizes[event.anchor or ""] = 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            anchor, size = open_nodes.pop()
            sizes[anchor or ""] = size
        else:
            continue
        if open_nodes:
            anchor, earlier = open_nodes[-1]
            open_nodes[-1] = (anchor, earlier + size)
        if size > MOST_NODES or (open_nodes and open_nodes[-1][1] > MOST_NODES):
            raise RefusedYamlError(line, f"it holds more than {MOST_NODES:,} entries once its aliases are put in")


def _refuse_repeated_keys(root: Any) -> None:
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in keys and name != "<<":
                    raise RefusedYamlError(key.start_mark.line + 1, f"the key {name!r} stands twice in one mapping")
                keys.add(name)
                pending.append(value)
