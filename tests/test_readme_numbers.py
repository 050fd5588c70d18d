"""Every number of the tables of measurements is what `benchmarks/results/` says (tests/readme_figures.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from readme_figures import FIGURES, From, Setting

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# Not inside a name (135M, SmolLM2, recall@5) and not a percentile's number (p95).
NUMBER = re.compile(r"(?<![\w@.])(?<!\w-)(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?![\w@])")
UNITS = (1, 100, 1000)


def table(page: str, heading: str) -> dict[str, list[str]]:
    """Return the numbers of each row under a heading, in the order of reading."""
    section = re.search(rf"^## {heading}\n(.*?)(?:^## |\Z)", (ROOT / page).read_text("utf-8"), re.M | re.S)
    assert section is not None, f"{page} has no section {heading!r}; move this test with it"
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", section[1], re.M)[1:]
    return {label: NUMBER.findall(re.sub(r"`[^`]*`|\]\([^)]*\)", "", cell)) for label, cell in rows}


@cache
def result(file: str) -> Any:
    return json.loads((RESULTS / file).read_text("utf-8"))


def decimals(number: str) -> int:
    return len(number.partition(".")[2])


def is_rounded(value: float, number: str) -> bool:
    """Return whether `number` is `value`, rounded to the decimals that it has."""
    return abs(value - float(number.replace(",", ""))) <= 0.5 * 10.0 ** -decimals(number) + 1e-9


def numbers_in(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in entries:
        yield from numbers_in(part, f"{path}[{key!r}]")
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def candidates(number: str) -> list[str]:
    """Return places in the results that would round to `number`."""
    files = [path.relative_to(RESULTS).as_posix() for path in sorted(RESULTS.rglob("*.json"))]
    return [
        f"{file}{path}" for file in files for path, value in numbers_in(result(file))
        if any(is_rounded(value * unit, number) for unit in UNITS)
    ]  # fmt: skip


ROWS = table("README.md", "How far to trust it") | table("benchmarks/README.md", "What was measured")


def test_every_row_is_mapped_and_no_mapped_row_has_vanished() -> None:
    numbered = {label for label, numbers in ROWS.items() if numbers}
    assert numbered - FIGURES.keys() == set(), "rows that are not mapped; see tests/readme_figures.py"
    assert FIGURES.keys() - numbered == set(), "mapped rows that the pages have no more"


@pytest.mark.parametrize("label", ROWS)
def test_the_numbers_of_a_row_are_those_that_were_measured(label: str) -> None:
    numbers, figures = ROWS[label], FIGURES.get(label, ())
    unmapped = {number: candidates(number)[:8] for number in numbers[len(figures) :]}
    assert len(numbers) == len(figures), f"{label}: the page has {numbers}; not mapped: {unmapped}"
    for number, figure in zip(numbers, figures, strict=True):
        if isinstance(figure, Setting):
            assert number == figure.text, label
            continue
        value = figure.value(result(figure.file))
        assert is_rounded(value, number), f"{label}: the page says {number}, {figure.file} says {value}"


def test_the_readme_has_five_figures_that_decide() -> None:
    assert len(table("README.md", "How far to trust it")) == 5


def test_a_changed_number_is_found() -> None:
    assert is_rounded(0.9854, ".985")
    assert not is_rounded(0.9856, ".985")
    assert not is_rounded(1399, "1,400")
    assert NUMBER.findall("1,400 of 135M at .985 [.97, 1.0], p95 of SmolLM2-135M, 40, 17.5 % H100; 4 x 1,273.") == [
        "1,400", ".985", ".97", "1.0", "40", "17.5", "4", "1,273",
    ]  # fmt: skip
    assert isinstance(FIGURES["quote check"][0], From)
