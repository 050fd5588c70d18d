"""The contract tests: every registered object of a package is made and called with sample and hostile inputs."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.agents import judges
from tracejury.agents.checkers import Pair, checkers, make_checker
from tracejury.console.plugin_checks.fake_ask import FakeAsk
from tracejury.console.plugin_checks.samples import STEPS, hostile_steps, sample_case, sample_question, sample_trace
from tracejury.models import CallFailed
from tracejury.retrieval import indexes, scorers, sources
from tracejury.traces import Plugin, Problem, Registry, UnfitParamsError, readers, segmenters

MOST_ITEMS = 1000
"""Readers and sources are read up to this many items."""
TIME_LIMIT_S = 10.0


class ContractFault(NamedTuple):
    """What is wrong with a registered object."""

    plugin: Plugin
    reason: str
    needs_params: bool = False
    """It was not called, because its factory needs parameters."""


def package_objects(package: str) -> list[Plugin]:
    """List what a package registers in the groups of tracejury.

    Raises:
        importlib.metadata.PackageNotFoundError: No package of this name is installed.
    """
    name = distribution(package).name
    registries = _registries()
    return [
        Plugin(registry.what, entry.name, entry.package, entry.target)
        for registry in registries.values()
        for entry in registry.entries()
        if entry.package == name
    ]


def contract_faults(
    what: str,
    name: str,
    params: Mapping[str, object] | None = None,
    *,
    inputs: Iterable[Path] = (),
    time_limit_s: float = TIME_LIMIT_S,
) -> list[ContractFault]:
    """Make a registered object and call it with sample and hostile inputs.

    Args:
        what: `judge`, `reader`, `segmenter`, `knowledge source`, `relevance scorer`, `checker` or `index engine`.
        name: The name that it is registered under.
        params: What its factory is called with.
        inputs: Files or folders that a reader must be able to read.
        time_limit_s: Limit of one call.

    Returns:
        What is wrong; empty where nothing is.

    Raises:
        UnknownNameError: Nothing of this name is registered.
        KeyError: There is no such kind of object.
    """
    registry = _registries()[what]
    plugin = registry.plugin(name)
    try:
        instance = (make_checker if what == "checker" else registry.make)(name, **_made_with(what, params))
        if plugin.foreign:
            instance.limit_s = time_limit_s
    except UnfitParamsError as unfit:
        return [ContractFault(plugin, str(unfit), needs_params=not params)]
    except ValueError as fault:
        needs_params = isinstance(fault.__cause__, UnfitParamsError) and not params
        return [ContractFault(plugin, str(fault), needs_params)]
    calls = {
        "judge": _judge_calls,
        "reader": lambda reader: _reader_calls(reader, inputs),
        "segmenter": _segmenter_calls,
        "knowledge source": _source_calls,
        "relevance scorer": _scorer_calls,
        "checker": _checker_calls,
        "index engine": _index_calls,
    }
    return [ContractFault(plugin, reason) for reason in dict.fromkeys(calls[what](instance))]


def _registries() -> dict[str, Registry[Any]]:
    registries: tuple[Registry[Any], ...] = (
        judges, sources.register, readers, segmenters, scorers, checkers, indexes,
    )  # fmt: skip
    return {registry.what: registry for registry in registries}


def _made_with(what: str, params: Mapping[str, object] | None) -> dict[str, Any]:
    if what == "index engine":
        return {"where": tempfile.gettempdir(), **(params or {})}
    return {"params": params} if what == "checker" else dict(params or {})


def _failures(calls: Iterable[Callable[[], object]]) -> Iterator[str]:
    for call in calls:
        try:
            call()
        except ValueError as fault:
            yield str(fault)
            if "took longer than" in str(fault):
                return


def _judge_calls(judge: Any) -> Iterator[str]:
    ask = FakeAsk() if judge.needs_endpoint else None
    cases = [sample_case(), *(sample_case(step) for step in hostile_steps())]

    async def draft(case: Any) -> None:
        try:
            await judge.draft(case, ask)
        except CallFailed:
            return

    yield from _failures(partial(_finished, draft, case) for case in cases)
    if notice := getattr(judge, "notice", None):
        yield notice


def _finished(coroutine: Callable[[Any], Coroutine[Any, Any, None]], argument: object) -> None:
    asyncio.run(coroutine(argument))


def _reader_calls(reader: Any, inputs: Iterable[Path]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.txt")
        empty.touch()
        for path in (Path(folder, "nothing-in-it"), empty):
            if path is not empty:
                path.mkdir()
            yield from _reader_faults(reader, path, expect_items=False)
    for path in inputs:
        yield from _reader_faults(reader, path, expect_items=True)


def _reader_faults(reader: Any, path: Path, *, expect_items: bool) -> Iterator[str]:
    items = list(islice(reader.read(path), MOST_ITEMS))
    own = f"{reader.plugin}" if hasattr(reader, "plugin") else reader.name
    yield from (item.reason for item in items if isinstance(item, Problem) and item.reason.startswith(own))
    if expect_items and all(isinstance(item, Problem) for item in items):
        yield f"{own}: nothing but problems in {path}: {items[0] if items else 'it yielded nothing'}"


def _segmenter_calls(segmenter: Any) -> Iterator[str]:
    traces = [sample_trace(), *(sample_trace(text) for text in hostile_steps())]
    yield from _failures(partial(segmenter.segment, trace) for trace in traces)


def _source_calls(source: Any) -> Iterator[str]:
    def read() -> None:
        items = list(islice(source.documents(), MOST_ITEMS))
        if not any(not isinstance(item, Problem) for item in items):
            raise ValueError(f"{source.name}: it has no document; {items[0] if items else 'it yielded nothing'}")

    yield from _failures([read])


def _scorer_calls(scorer: Any) -> Iterator[str]:
    pairs = [(STEPS[0], sample_question().stem), *((STEPS[0], text) for text in hostile_steps())]
    yield from _failures([lambda: scorer.score(pairs)])


def _checker_calls(checker: Any) -> Iterator[str]:
    ask = FakeAsk() if checker.needs_endpoint else None
    pairs = [Pair(STEPS[0], (text,)) for text in (sample_question().stem, *hostile_steps())]
    yield from _failures([lambda: asyncio.run(checker.probabilities(pairs, ask))])


def _index_calls(engine: Any) -> Iterator[str]:
    # Nothing is written: the folder belongs to whoever runs the check.
    yield from _failures([engine.load, lambda: engine.generations("a-source")])
