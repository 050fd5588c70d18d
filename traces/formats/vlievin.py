"""The table of completions that goes with Lievin et al., arXiv 2207.08143: questions x prompts, HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tracejury.traces.answers import extract_answer
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.html import HtmlReader
from tracejury.traces.formats.lines import foreign, unreadable
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem, Question, Trace
from tracejury.traces.tables.options import split_prompt

_HEAD = re.compile(r"\A\s*(\w+)\s*\[(\w+):(\d+)\]\s*Q:\s*")
_RIGHT, _WRONG = "\u2705", "\u274c"
_HINT = "compare the row with the published table"
_BLOCK = 1 << 16


class _Cell(NamedTuple):
    line: int
    text: str
    strong: str
    wide: bool


class _Table(HtmlReader):
    """Rows of cells, as they are completed."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, bool, list[_Cell]]] = []
        self._row: list[_Cell] | None = None
        self._text: list[str] | None = None
        self._strong: list[str] = []
        self._in_strong = self._wide = self._header = False
        self._line = self._row_line = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._row, self._header, self._row_line = [], False, self.getpos()[0]
        elif tag in ("td", "th"):
            self._text, self._strong, self._in_strong = [], [], False
            self._wide, self._header, self._line = "colspan" in dict(attrs), tag == "th", self.getpos()[0]
        elif tag == "strong":
            self._in_strong = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "strong":
            self._in_strong = False
        elif tag in ("td", "th") and self._text is not None and self._row is not None:
            self._row.append(_Cell(self._line, "".join(self._text), "".join(self._strong), self._wide))
            self._text = None
        elif tag == "tr" and self._row is not None:
            self.rows.append((self._row_line, self._header, self._row))
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)
            if self._in_strong:
                self._strong.append(data)

    @property
    def open_row(self) -> int | None:
        """The line of a row that was begun and not closed."""
        return None if self._row is None else self._row_line


class Vlievin(Placed):
    """An HTML table: a row with a question, then a row with one completion for each prompt of the header.

    The prompt's number is the sample; its words are in `meta.prompt`, the table's own mark in `meta.marked_correct`.
    The option in bold is the gold answer.
    """

    name = "vlievin"
    summary = "vlievin/medical-reasoning HTML: 100 USMLE questions x 30 completions"

    def __init__(self, model: str = "gpt-3 (vlievin)") -> None:
        self.model = model

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield each question, then its completions."""
        for file in files_under(path, "*.html"):
            self.at(file)
            yield from self._file(file)

    def _file(self, file: Path) -> Iterator[ReadItem]:
        table, prompts, question = _Table(), [], None
        try:
            with file.open("rb") as raw:
                packed = foreign(file, raw.read(8))
            handle = file.open(encoding="utf-8", newline="")
        except OSError as error:
            yield unreadable(file, error)
            return
        with handle:
            if packed is not None:
                yield packed
                return
            try:
                while block := handle.read(_BLOCK):
                    table.feed(block)
                    rows, table.rows = table.rows, []
                    for line, header, cells in rows:
                        self.at(file, line)
                        if header:
                            prompts = [" ".join(cell.text.split()) for cell in cells]
                        elif len(cells) == 1 and cells[0].wide:
                            question = None
                            for item in self._question(cells[0]):
                                question = item if isinstance(item, Question) else question
                                yield item
                        else:
                            yield from self._completions(cells, prompts, question)
            except UnicodeDecodeError as error:
                self.at(file, table.getpos()[0])
                yield self.problem(
                    f"not valid UTF-8 after this line: {error.reason}; reading stops here", "convert the file"
                )
        if table.open_row is not None:
            self.at(file, table.open_row)
            yield self.problem("the file ends inside a row; the row is left out", "fetch the file again")
        if not prompts:
            self.at(file)
            yield self.problem("no table with a header row is here", "name the published table, usmle-valid.html")

    def _question(self, cell: _Cell) -> Iterator[Question | Problem]:
        head = _HEAD.match(cell.text)
        if head is None:
            yield self.problem('the question\'s cell does not begin with "USMLE [split:number] Q:"', _HINT)
            return
        stem, options = split_prompt(cell.text[head.end() :])
        _, marked = split_prompt("\n" + cell.strong[cell.strong.find("]") + 1 :].lstrip())
        bold = re.search(r"([A-J])\)", cell.strong[cell.strong.find("]") + 1 :])
        gold = next(iter(marked), bold.group(1) if bold else None)
        if gold is None:
            yield self.problem("no option of the question is in bold; it is kept without a gold answer", _HINT)
        split = {"valid": "validation", "dev": "validation"}.get(head.group(2), head.group(2))
        key = f"{head.group(2)}:{head.group(3)}"
        yield Question(stem=stem, options=options, gold=gold, source="vlievin", split=split, key=key)

    def _completions(self, cells: list[_Cell], prompts: list[str], question: Question | None) -> Iterator[ReadItem]:
        if question is None:
            yield self.problem("completions without a question above them; the row is left out", _HINT)
            return
        if len(cells) != len(prompts):
            yield self.problem(
                f"the row has {len(cells)} completions for {len(prompts)} prompts; it is left out", _HINT
            )
            return
        for number, (cell, prompt) in enumerate(zip(cells, prompts, strict=True)):
            self.line = cell.line
            text = cell.text.strip()
            marked = True if text.startswith(_RIGHT) else False if text.startswith(_WRONG) else None
            text = text.lstrip(_RIGHT + _WRONG + "\ufe0f").strip()
            yield Trace(
                question_id=question.id,
                model=self.model,
                sample=number,
                text=text,
                answer=extract_answer(text, question.options),
                meta={"key": question.key, "prompt": prompt, "marked_correct": marked},
            )


def vlievin(model: str = "gpt-3 (vlievin)") -> Reader:
    """Make the `vlievin` reader; the table does not name its model, `model` does."""
    return Vlievin(model)
