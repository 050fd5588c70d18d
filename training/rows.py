"""The rows of an SFT corpus, which `corpus` writes and `train` reads: one JSON object a line.

A row holds rendered text, not messages, so that the training text can be read in the file, and hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from tracejury.storage import first_fault, replacing_file
from tracejury.training.recipe import RecipeError, RecipePart


class SftRow(RecipePart):
    """One prompt, and the completion that the student learns."""

    id: str
    question_id: str
    prompt: str
    """The prompt in the student's chat template, up to and including the assistant's header."""
    completion: str
    """The reply, up to and including the end-of-turn token: the student must learn to stop."""
    weight: float = Field(default=1.0, ge=0)
    """Expected number of copies of the row in an epoch."""
    meta: dict[str, Any] = Field(default_factory=dict)


class Split(NamedTuple):
    """The two halves of a corpus; no question is in both."""

    train: list[SftRow]
    heldout: list[SftRow]


def read_rows(path: Path) -> Iterator[SftRow]:
    """Yield the rows of one JSON-lines file.

    Raises:
        RecipeError: A line is not a row; the message names file and line.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield SftRow.model_validate_json(line)
            except ValidationError as error:
                raise RecipeError(
                    f"{path}:{number}: not a corpus row ({first_fault(error, 'line')}). "
                    "Write the corpus again with `tracejury student corpus`."
                ) from error


def read_corpus(folder: Path) -> tuple[Split, str]:
    """Read a finished corpus and check it against its manifest.

    Returns:
        The rows, and the SHA-256 of both files.

    Raises:
        RecipeError: There is no finished corpus here, it was changed since, or a question is in both splits.
    """
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        raise RecipeError(
            f"{folder}: no finished corpus (manifest.json is missing). Run `tracejury student corpus` first."
        )
    manifest: dict[str, Any] = json.loads(manifest_file.read_text(encoding="utf-8"))
    digest = hash_files([folder / "train.jsonl", folder / "heldout.jsonl"])
    if digest != manifest["data_sha256"]:
        raise RecipeError(
            f"{folder}: the rows are not those that the manifest was written for ({digest[:12]} is not "
            f"{manifest['data_sha256'][:12]}). Write the corpus again with `tracejury student corpus`."
        )
    split = Split(list(read_rows(folder / "train.jsonl")), list(read_rows(folder / "heldout.jsonl")))
    both = {r.question_id for r in split.train} & {r.question_id for r in split.heldout}
    if both:
        raise RecipeError(f"{folder}: {len(both)} questions are in both splits, for instance {sorted(both)[0]!r}.")
    return split, digest


def write_rows(path: Path, rows: Iterable[SftRow]) -> int:
    """Write rows to `path`, whole or not at all; return their number."""
    return write_lines(path, (row.model_dump(mode="json") for row in rows))


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON lines to `path`, whole or not at all; return their number."""
    count = 0
    with replacing_file(path) as partial, partial.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all: a file that exists is complete."""
    with replacing_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def repeat_by_weight(rows: Iterable[SftRow]) -> list[SftRow]:
    """Return the rows of one epoch, each repeated by its weight; fractions are carried over to the next row.

    Two rows of weight 0.5 give one copy of the second; weights of 1 give the rows themselves. Rows are copied, and the
    loss is not weighted, because both back ends replace the loss with kernels of their own.
    """
    epoch: list[SftRow] = []
    owed = 0.0
    for row in rows:
        owed += row.weight
        copies = int(owed + 1e-9)
        epoch.extend([row] * copies)
        owed -= copies
    return epoch
