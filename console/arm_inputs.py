"""What `tracejury audit` compares: two arms, each an endpoint or a file, and the questions that both answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tracejury.console.arm_checks import check_batch, check_source

if TYPE_CHECKING:
    from tracejury.models import Endpoint
    from tracejury.traces import Batch, Question


class ArmInput(NamedTuple):
    """One arm as the command names it."""

    name: str
    endpoint: Endpoint | None
    """Where its chains are sampled; None: they are read."""
    batch: Batch | None
    """Its chains with their questions; None: they are sampled."""
    folder: Path
    """Where its chains are written."""


class ArmOptions(NamedTuple):
    """The options of one arm."""

    name: str
    source: str
    """The address of a server, or the path of a file."""
    model: str | None
    key_env: str | None


class TableOptions(NamedTuple):
    """How files of chains are read."""

    questions: Path | None
    """Where their questions are, if not beside the chains."""
    mapping: tuple[str, ...] = ()
    """FIELD=PATH, as `tracejury read --map` takes it."""
    join: str | None = None
    """CHAIN_FIELD=QUESTION_FIELD."""

    def params(self) -> dict[str, object]:
        """Return what the table reader takes.

        Raises:
            ValueError: A mapping is not of the form FIELD=PATH.
        """
        pairs = dict(pair.partition("=")[::2] for pair in self.mapping)
        if malformed := [name for name, path in pairs.items() if not name or not path]:
            raise ValueError(f"--map {malformed[0]!r} is not of the form FIELD=PATH, such as gold=target")
        if self.join is not None and self.questions is None:
            raise ValueError("--join needs the file of the questions: --questions FILE")
        joined = {"join": self.join, "questions": str(self.questions)} if self.join else {}
        return {**({"fields": pairs} if pairs else {}), **joined}


def is_address(source: str) -> bool:
    """Tell whether an arm is the address of a server rather than a path."""
    return source.startswith(("http://", "https://"))


def open_arm(
    options: ArmOptions, out: Path, table: TableOptions, *, parallel: int, price: tuple[float, float]
) -> ArmInput:
    """Open an arm: ask its server for the model that it serves, or read its file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file cannot be one arm, or an address is not written as one.
        ModelUnknownError: The server serves several models, and none is named.
    """
    folder = out / "sampled" / options.name
    if not is_address(options.source):
        check_source(options.source, options.name)
        batch = _read(Path(options.source), table)
        check_batch(batch, options.source)
        return ArmInput(options.name, None, batch, folder)
    from tracejury.models import Endpoint, Price

    endpoint = Endpoint(
        name=options.name,
        model=options.model or "",
        base_url=options.source,
        api_key_env=options.key_env,
        reply_format="text",
        max_concurrency=parallel,
        price=Price(prompt=price[0], completion=price[1]),
    )
    if options.model is None:
        endpoint = endpoint.model_copy(update={"model": _served(endpoint, folder)})
    return ArmInput(options.name, endpoint, None, folder)


def audited_questions(arms: Sequence[ArmInput], path: Path | None, reader: str | None, n: int) -> list[Question]:
    """Return the questions that both arms answer, at most `n`, chosen by their hash.

    Raises:
        ValueError: There is none, or an endpoint has no questions to answer.
    """
    from tracejury.traces import Batch
    from tracejury.training import first_questions

    in_files = [arm.batch for arm in arms if arm.batch is not None]
    if len(in_files) == len(arms):
        candidates = list({q.id: q for q in in_files[0].questions()}.values())
    elif path is None:
        raise ValueError("name the questions that the endpoint answers: --questions FILE")
    else:
        with Batch.open([path], reader) as batch:
            candidates = list({q.id: q for q in batch.questions()}.values())
    answered = [{trace.question_id for trace in batch.traces()} for batch in in_files]
    common = [q for q in candidates if all(q.id in ids for ids in answered)]
    if not common:
        places = ", ".join(place for batch in in_files for place in batch.paths)
        raise ValueError(
            f"no question is common to {places or path}; `tracejury read --fields FILE` shows how a file is read"
        )
    return first_questions(common, n)


def _read(path: Path, table: TableOptions) -> Batch:
    from tracejury.traces import Batch

    params = table.params()
    batch = Batch.open([path], "table" if params else None, **params)
    if not len(batch) and table.questions is not None and "join" not in params:
        batch = Batch.open([path], "table", **params, questions=str(table.questions))
    return batch


def _served(endpoint: Endpoint, folder: Path) -> str:
    """Return the model that this arm was begun with, else the one that the server serves."""
    import asyncio

    from tracejury.models import served_model

    record = folder / "inputs.json"
    if record.is_file():
        return str(json.loads(record.read_text(encoding="utf-8"))["model"])
    return asyncio.run(served_model(endpoint))
