"""`tracejury new source|judge|reader|segmenter|checker NAME`: write a complete package to start from."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import fail


class Kind(StrEnum):
    """What another package can add."""

    SOURCE = "source"
    JUDGE = "judge"
    READER = "reader"
    SEGMENTER = "segmenter"
    CHECKER = "checker"


def new(
    kind: Annotated[Kind, typer.Argument(help="Write a package for one of these.")],
    name: Annotated[str, typer.Argument(help="Name it with small letters, digits and dashes.")],
    folder: Annotated[Path, typer.Option("--in", help="Write the package into this folder.")] = Path(),
) -> None:
    """Write a package of your own: one judge, source, reader, segmenter or checker, with a test that passes.

    Example: tracejury new source my-ward
    """
    from tracejury.console.screen import out

    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise fail(f"{name!r}: write the name in small letters, digits and dashes, for instance my-ward")
    package = folder / f"tracejury-{name}"
    if package.exists():
        raise fail(f"{package} exists already; give another name, or remove it")
    words = {
        "NAME": name,
        "MODULE": f"tracejury_{name.replace('-', '_')}",
        "CLASS": "".join(part.capitalize() for part in name.split("-")),
    }
    with as_file(files("tracejury.console").joinpath("skeletons", kind)) as skeleton:
        for template in sorted(skeleton.rglob("*.txt")):
            inside = template.relative_to(skeleton).with_suffix("").as_posix().replace("MODULE", words["MODULE"])
            target = package / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(template.read_text("utf-8"), words), "utf-8")
    out.print(f"{package}: edit src/{words['MODULE']}/{kind}.py, then")
    out.print(f"  pip install -e {package}\n  tracejury check tracejury-{name}")
    if kind is Kind.SOURCE:
        out.print(f"  tracejury index build {name}")


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"%(NAME|MODULE|CLASS)%", lambda match: words[match[1]], text)
