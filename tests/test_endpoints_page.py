"""docs/endpoints.md has every key of a panel, with the type and the default that the records have."""

from __future__ import annotations

import re
import types
import typing
from enum import Enum
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tracejury.agents import JudgeSpec, Panel, RelevanceSpec, ResolverSpec, RetrievalSpec
from tracejury.agents.checkers import CheckerSpec, ClaimsSpec
from tracejury.models import Endpoint, Price

PAGE = Path(__file__).resolve().parents[1] / "docs" / "endpoints.md"
RECORDS: dict[str, type[BaseModel]] = {
    "Panel": Panel, "`judges`": JudgeSpec, "`endpoints`": Endpoint, "`price`": Price, "`resolver`": ResolverSpec,
    "`retrieval`": RetrievalSpec, "`checker`": CheckerSpec, "`relevance`": RelevanceSpec, "`claims`": ClaimsSpec,
}  # fmt: skip
NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "map", tuple: "list"}


def type_of(annotation: object) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return type_of(next(a for a in arguments if a is not type(None)))
    if origin is typing.Literal:
        return " or ".join(f"`{a}`" for a in arguments)
    kind = origin or annotation
    assert isinstance(kind, type)
    if issubclass(kind, Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    return "map" if issubclass(kind, BaseModel) else NAMES[kind]


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return "below"
    if default is None or default in ("", (), {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else getattr(default, 'value', default)}`"


def rows(heading: str) -> dict[str, tuple[str, str]]:
    section = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.{5,}?) \|$", section, re.MULTILINE)
    return {name: (kind, default) for name, kind, default, _ in cells}


@pytest.mark.parametrize("heading", RECORDS)
def test_every_key_stands_on_the_page_with_its_type_and_default(heading: str) -> None:
    fields = RECORDS[heading].model_fields
    assert rows(heading) == {name: (type_of(f.annotation), default_of(f)) for name, f in fields.items()}
