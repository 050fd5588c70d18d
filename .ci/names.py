#!/usr/bin/env python3
"""Hold the code to plain words: names that say what a value is, the field's terms, no pointer to a missing document.

    python3 .ci/names.py [ROOT]

Fails where more than 3 of 1,000 bindings of the package have a name that only says that something happened to the value
(`found`, `made`), where a name has a word of a court or of an office, or where a text names a document of elsewhere.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOMS = (
    *("storage", "traces", "models", "retrieval", "agents", "ledger", "graphs", "reports", "console"),
    *("training", "configs"),
)
EMPTY = frozenset(
    "told said made found kept taken given held wanted asked standing heard tried done seen gone known put drawn dealt"  # noqa: SIM905
    " shown meant lost sent brought written picked".split()
)
FOREIGN = frozenset({"court", "bench", "sitting", "hearing", "clerk", "crew", "errand", "desk", "shelf"})
ELSEWHERE = re.compile(r"\b(?:design|protocol|stack|style)\.md\b")
MOST_EMPTY_PER_1000 = 3.0


class Binding(NamedTuple):
    """A name that the code binds, and where."""

    place: str
    words: tuple[str, ...]


def bindings(root: Path) -> Iterator[Binding]:
    """Yield every function, class, argument and assigned variable of the package."""
    for path in sorted(p for room in ROOMS for p in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = _name(node)
            if name is not None:
                parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")
                yield Binding(f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}: {name}", tuple(parts))


def pointers(root: Path) -> Iterator[str]:
    """Yield the lines that name a document which the repository does not have."""
    for path in sorted(p for room in (*ROOMS, "tests", "docs", "benchmarks") for p in (root / room).rglob("*")):
        if path.suffix in {".py", ".md", ".yaml"} and path.is_file():
            for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
                if ELSEWHERE.search(line):
                    yield f"{path.relative_to(root)}:{number}: {line.strip()[:80]}"


def _name(node: ast.AST) -> str | None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()):
            return name
    return None


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    every = list(bindings(root))
    empty = [b for b in every if len(b.words) == 1 and b.words[0].rstrip("0123456789") in EMPTY]
    foreign = [b for b in every if set(b.words) & FOREIGN]
    stray = list(pointers(root))
    per_1000 = 1000 * len(empty) / max(1, len(every))
    print(f"names: {per_1000:.1f} empty in 1,000 bindings, {len(foreign)} foreign words, {len(stray)} stray pointers")
    if per_1000 > MOST_EMPTY_PER_1000:
        print("\n".join(b.place for b in empty))
    print("\n".join([*(b.place for b in foreign), *stray]), end="\n" if foreign or stray else "")
    return int(per_1000 > MOST_EMPTY_PER_1000 or bool(foreign) or bool(stray))


if __name__ == "__main__":
    sys.exit(main())
