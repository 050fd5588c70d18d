"""A table of any make: one row a question, a reply to it, or both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tracejury.storage import KeyValueStore
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import invalid
from tracejury.traces.formats.place import Placed
from tracejury.traces.records import GivenStep, Problem, Question, Severity, Trace
from tracejury.traces.tables import names
from tracejury.traces.tables.conversations import ChatReply, Exchange, exchange_in
from tracejury.traces.tables.files import TableRow, table_files, table_rows
from tracejury.traces.tables.golds import PositionCount, may_be_position, read_gold
from tracejury.traces.tables.joins import Join, QuestionsByKey, parse_join, propose_join
from tracejury.traces.tables.options import split_prompt
from tracejury.traces.tables.paths import lift
from tracejury.traces.tables.profile import TableProfile
from tracejury.traces.tables.proposal import Proposal, propose
from tracejury.traces.tables.records_of import SampleNumbers, make_question, make_trace
from tracejury.traces.tables.rendered_turns import without_prompt
from tracejury.traces.tables.replies import Reply, reasoning_withheld
from tracejury.traces.tables.row_parts import first_column, flagged_gold, read_row_options, stem_text
from tracejury.traces.tables.row_values import arm_replies, as_count, as_text, replies_in, step_texts

_HINT = "`tracejury read --fields FILE` lists what is in it"


class _Reading(NamedTuple):
    """How one file is read."""

    proposal: Proposal
    first: int
    arm: str | None
    """The arm of traces that name none."""
    join: Join | None
    questions: QuestionsByKey
    numbers: SampleNumbers


class Table(Placed):
    """CSV, Parquet, JSON, JSON lines (also packed), a folder of these, or a Hugging Face data set on disk.

    Which field is what is proposed from the file's own names and contents and told in a note; `fields` overrules it. A
    reply may stand in a field, in a conversation (messages, ShareGPT, API answers, batch files), or several in a list.
    Golds are read as letters, texts, several of them, or positions: whether those count from 0 or 1 the whole file
    decides, and where it does not, `first` must.
    """

    name = "table"
    summary = "any table or chat log: CSV, Parquet, JSON, JSON lines, batch files, data sets on disk; --map ..."
    guesses = True

    def __init__(
        self,
        fields: Mapping[str, str] | None = None,
        first: int | None = None,
        join: str | None = None,
        questions: str | Path | None = None,
    ) -> None:
        self.fields = checked_fields(fields)
        if first not in (None, 0, 1):
            raise ValueError(f"first is {first!r}; positions of gold answers count from 0 or from 1")
        self.first = first
        self.join = None if join is None else parse_join(join)
        if self.join is not None and questions is None:
            raise ValueError("--join needs the file of the questions: --questions FILE")
        self.questions = None if questions is None else Path(questions)

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield each row's question, then the replies to it; notes say how each file was read."""
        units = table_files(path) if path.is_dir() and not _is_dataset(path) else [path]
        self.at(path)
        if not units:
            yield from (row for row in table_rows(path) if isinstance(row, Problem))
        with KeyValueStore[str]("texts", "draws", "joined") as spool:
            questions = QuestionsByKey(spool)
            for unit in units:
                self.at(unit)
                arm = unit.name.split(".")[0] if len(units) > 1 else None
                yield from self._unit(unit, arm, questions, SampleNumbers(spool))

    def _unit(
        self, unit: Path, arm: str | None, questions: QuestionsByKey, numbers: SampleNumbers
    ) -> Iterator[ReadItem]:
        profile = TableProfile(row.data for row in table_rows(unit) if isinstance(row, TableRow))
        if not profile.rows:
            problems = [row for row in table_rows(unit) if isinstance(row, Problem)]
            yield from problems or [self.problem("the table has no rows", "fetch it again")]
            return
        join = self.join
        if self.questions is not None:
            join = join or propose_join(profile, self.questions)
            if join is None:
                reason = f"no field of the replies has the same values as one of {self.questions}"
                yield self.problem(reason, "name the two fields: --join REPLY_FIELD=QUESTION_FIELD")
                return
            yield from self._joined(self.questions, join, questions)
            self.at(unit)
        proposal = propose(profile, self.fields, joined=join is not None)
        if proposal.question is not None:
            yield self.problem(proposal.question, _HINT)
            return
        first = self._first_position(unit, proposal, profile)
        if first is None:
            where = proposal.fields["gold"]
            reason = (
                f"the gold answers in {where!r} are positions, and the file does not show whether the first is 0 or 1"
            )
            yield self.problem(reason, "check one by hand and say --set first=0 or --set first=1")
            return
        yield self._note(proposal, join, first)
        asks = proposal.prompts or "stem" in proposal.fields
        if asks and not (proposal.replies or proposal.arms or {"text", "steps"} & proposal.fields.keys()):
            names_there = ", ".join(field.path for field in profile.fields() if "." not in field.path)
            reason = f"no field is known as a model's reply, so questions alone are read; the fields are {names_there}"
            hint = "name the reply with --map text=FIELD; --map text=: says that there is none"
            yield self.problem(reason, hint, Severity.WARNING)
        reading = _Reading(proposal, first, arm, join, questions, numbers)
        earlier = self._cut_prompts = 0
        for row in table_rows(unit):
            if isinstance(row, Problem):
                yield row
                continue
            self.at(row.file, row.line)
            exchange = (exchange_in(row.data) if proposal.conversation else None) or _NO_EXCHANGE
            earlier += exchange.earlier_turns > 0
            try:
                yield from self._row(row, exchange, reading)
            except ValidationError as error:
                yield invalid(row.file, row.line, error, _HINT)
        self.at(unit)
        if self._cut_prompts:
            yield self.problem(f"{self._cut_prompts} replies began with their prompt: cut off", "", Severity.NOTE)
        if earlier:
            reason = f"{earlier} conversation(s) have earlier turns; the last user message alone is the question"
            hint = "put what the question needs into one message, or into a field of its own (--map stem=FIELD)"
            yield self.problem(reason, hint, Severity.WARNING)

    def _note(self, proposal: Proposal, join: Join | None, first: int) -> Problem:
        sentence = proposal.sentence()
        unused = proposal.unused
        if join is not None:
            sentence += f", the question with {join.question_path} = {join.reply_path} of {self.questions}"
            unused = tuple(path for path in unused if path != join.reply_path)
        if self._positions:
            sentence += f", gold positions count from {first}"
        if unused:
            sentence += f"; not used: {', '.join(unused)}"
        return self.problem(sentence, "change it with --map FIELD=PATH", Severity.NOTE)

    def _first_position(self, unit: Path, proposal: Proposal, profile: TableProfile) -> int | None:
        """Return where positions of golds start (0 where there are none); None where it cannot be seen."""
        self._positions = False
        path = proposal.fields.get("gold")
        if path is None or path.startswith(":") or not profile.may_hold_positions(path):
            return self.first or 0
        count = PositionCount()
        others = [p for p in (*proposal.unused, proposal.fields.get("answer", "")) if names.plain(p) in names.GOLD]
        agreeing = {0: 0, 1: 0}
        for row in table_rows(unit):
            if isinstance(row, TableRow) and may_be_position(value := lift(row.data, path)):
                options = self._options(row.data, proposal)
                gold = read_gold(value, options)
                count.add(gold, options)
                for other in others if gold.position is not None else ():
                    text = read_gold(lift(row.data, other), options).key
                    for first in agreeing:
                        agreeing[first] += text in options and read_gold(value, options, first).key == text
        self._positions = count.positions > 0
        if not count.positions:
            return self.first or 0
        # A letter or a text beside the positions shows what they mean, whatever their range.
        by_text = next((f for f in agreeing if agreeing[f] > 0.9 * count.positions and not agreeing[1 - f]), None)
        cache_key = (self.first, count.first, by_text, first_column(proposal.fields.get("options", "")))
        return next((first for first in cache_key if first is not None), None)

    def _options(self, row: Mapping[str, Any], proposal: Proposal) -> dict[str, str]:
        if (path := proposal.fields.get("options")) is not None and (options := read_row_options(row, path)):
            return options
        return split_prompt(self._prompt(row, proposal, exchange_in(row)) or "")[1]

    def _prompt(self, row: Mapping[str, Any], proposal: Proposal, exchange: Exchange | None) -> str | None:
        path = proposal.fields.get("stem")
        text = None if path is None else stem_text(row, path)
        return text or (exchange.prompt if exchange is not None else None)

    def _row(self, row: TableRow, exchange: Exchange, reading: _Reading) -> Iterator[ReadItem]:
        data, proposal = row.data, reading.proposal
        if exchange.error is not None:
            name = data.get("custom_id") or data.get("key") or data.get("id")
            reason = f"the API gave no reply to {name!r}: {exchange.error}"
            yield self.problem(reason, "send this request again; the other rows are read")
            return
        if proposal.replies and not exchange.replies and "text" not in proposal.fields:
            hint = "end the messages with the assistant's, or name the field of the reply with --map text=FIELD"
            yield self.problem("there is no assistant message and no choice; the row is left out", hint)
            return
        parts = _field_values(data, proposal.fields)
        question = self._question(data, parts, exchange, reading)
        yield question
        if isinstance(question, Problem):
            return
        where = proposal.fields.get("text", ":")
        if where != ":" and parts.get("text") is None and parts.get("final") is None:
            yield self.problem(f"there is no reply in {where!r}; the question stays", "ask the model again")
            return
        for number, (arm, reply) in enumerate(self._replies(data, parts, exchange, proposal)):
            if isinstance(reply, ChatReply) and reply.refusal is not None:
                yield self.problem(
                    f"the model refused: {reply.refusal[:200]!r}", "ask again, or leave the question out"
                )
            if isinstance(reply, ChatReply) and reply.reply.final is None and reasoning_withheld(data):
                reason = "its provider has encrypted or redacted the reasoning; only the closing words can be judged"
                yield self.problem(
                    reason, "ask for the reasoning's summary, or for a model that shows it", Severity.WARNING
                )
            yield self._trace(data, parts, exchange, reading, question, reply, arm, number)

    def _question(
        self, data: Mapping[str, Any], parts: Mapping[str, object], exchange: Exchange, reading: _Reading
    ) -> Question | Problem:
        proposal = reading.proposal
        if reading.join is not None:
            question = reading.questions.find(data, reading.join)
            if question is not None:
                return question
            value = lift(data, reading.join.reply_path)
            reason = f"no question has {reading.join.question_path} {value!r}; the reply is left out"
            return self.problem(reason, f"add the question to {self.questions}, or name other fields with --join")
        prompt = self._prompt(data, proposal, exchange)
        if prompt is None or not prompt.strip():
            where = (
                "there is no user message, and the question is empty" if proposal.replies else "the question is empty"
            )
            return self.problem(f"{where}; the row is left out", "name its field with --map stem=FIELD")
        path = proposal.fields.get("options")
        options = {} if path is None else read_row_options(data, path)
        if options is None:
            reason = f"the options cannot be read: {str(lift(data, path or ''))[:80]!r}; the row is left out"
            return self.problem(reason, "write them as a list, as an object of letter and text, or as lines `A. ...`")
        gold = parts.get("gold")
        if gold is None and path is not None and "," not in path:
            gold = flagged_gold(data, path, options)
        return make_question(
            prompt,
            options,
            gold,
            reading.first,
            explanation=as_text(parts.get("explanation")),
            source=as_text(parts.get("source")) or "",
            split=as_text(parts.get("split")),
            key=as_text(parts.get("id")) or "",
        )

    def _trace(
        self,
        data: Mapping[str, Any],
        parts: Mapping[str, object],
        exchange: Exchange,
        reading: _Reading,
        question: Question,
        reply: ChatReply | tuple[GivenStep, ...],
        arm: str | None,
        number: int,
    ) -> Trace:
        get = parts.get
        steps = reply if not isinstance(reply, ChatReply) else None
        words = reply.reply if isinstance(reply, ChatReply) else Reply("\n".join(s.text for s in reply), None)
        own_model = reply.model if isinstance(reply, ChatReply) else None
        model = own_model or as_text(get("model")) or exchange.model or "unknown"
        arm = arm or as_text(get("arm")) or reading.arm or "base"
        sample = as_count(get("sample"))
        several = isinstance(reply, ChatReply) and reply.sample is not None
        if sample is None:
            sample = reply.sample if isinstance(reply, ChatReply) and reply.sample is not None else None
        if sample is None or (not several and "sample" not in reading.proposal.fields):
            sample = reading.numbers.number(question, model, arm, words.text)
        key = get("id") if "id" in reading.proposal.fields else data.get("custom_id")
        return make_trace(
            question,
            words,
            get("answer") if number == 0 or not several else None,
            reading.first,
            model=model,
            arm=arm,
            sample=sample,
            steps=steps,
            finish_reason=(reply.finish_reason if isinstance(reply, ChatReply) else None)
            or as_text(get("finish_reason")),
            prompt_tokens=exchange.prompt_tokens or as_count(get("prompt_tokens")),
            completion_tokens=exchange.completion_tokens or as_count(get("completion_tokens")),
            meta={name: get(name) for name in ("teacher", "hint_used")} | {"key": as_text(key)},
        )

    def _replies(
        self, data: Mapping[str, Any], parts: Mapping[str, object], exchange: Exchange, proposal: Proposal
    ) -> Iterator[tuple[str | None, ChatReply | tuple[GivenStep, ...]]]:
        prompt = as_text(lift(data, path)) if (path := proposal.fields.get("stem")) is not None else exchange.prompt
        for arm, path in proposal.arms.items():
            yield from ((arm, reply) for reply in arm_replies(self._without_prompt(lift(data, path), prompt)))
        if "text" in proposal.fields:
            if proposal.fields["text"] != ":":
                final = as_text(parts.get("final"))
                text = self._without_prompt(parts.get("text"), prompt)
                yield from ((None, reply) for reply in replies_in(text, final))
        elif "steps" in proposal.fields:
            steps = tuple(GivenStep(text=text) for text in step_texts(parts.get("steps")))
            yield None, steps
        elif not proposal.arms:
            yield from ((None, reply) for reply in exchange.replies)

    def _without_prompt(self, value: object, prompt: str | None) -> object:
        """Return a reply without the prompt before it, and count it."""
        cut = without_prompt(value, prompt)
        self._cut_prompts += cut is not value
        return cut

    def _joined(self, file: Path, join: Join, questions: QuestionsByKey) -> Iterator[ReadItem]:
        """Keep the questions of another file, and yield them."""
        profile = TableProfile(row.data for row in table_rows(file) if isinstance(row, TableRow))
        columns = {f.path.split(".")[0] for f in profile.fields()}
        mapping = {f: p for f, p in self.fields.items() if p.split(".")[0] in columns}
        proposal = propose(profile, {**mapping, "text": ":"})
        self.at(file)
        first = self._first_position(file, proposal, profile) if proposal.question is None else None
        if proposal.question is not None or first is None:
            reason = proposal.question or "it does not show whether positions of golds start at 0 or 1 (--set first=0)"
            yield self.problem(f"the questions: {reason}", _HINT)
            return
        fields = {name: path for name, path in proposal.fields.items() if path != ":"}
        yield self._note(proposal._replace(fields=fields), None, first)
        read: list[ReadItem] = []

        def rows() -> Iterator[tuple[Question, TableRow]]:
            for row in table_rows(file):
                if isinstance(row, Problem):
                    read.append(row)
                    continue
                self.at(row.file, row.line)
                exchange = exchange_in(row.data) or _NO_EXCHANGE
                reading = _Reading(proposal, first, None, None, questions, SampleNumbers(KeyValueStore[str]()))
                question = self._question(row.data, _field_values(row.data, proposal.fields), exchange, reading)
                read.append(question)
                if isinstance(question, Question):
                    yield question, row

        yield from questions.fill(rows(), join)
        yield from read


_NO_EXCHANGE = Exchange()


def _field_values(data: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, object]:
    """Return what stands in a row for each field, as the mapping says; stem and options may be of several columns."""
    return {
        name: path[1:] if path.startswith(":") else lift(data, path)
        for name, path in fields.items()
        if name not in ("stem", "options")
    }


def checked_fields(fields: Mapping[str, str] | None) -> dict[str, str]:
    """Return a mapping of fields, or say which of its names is not a field.

    Raises:
        ValueError: A name on the left side is none of `FIELDS`.
    """
    unknown = [name for name in fields or () if name not in names.FIELDS]
    if unknown:
        raise ValueError(f"--map knows no field {unknown[0]!r}; it knows {', '.join(names.FIELDS)}")
    return dict(fields or {})


def _is_dataset(path: Path) -> bool:
    return (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()


def table(
    fields: Mapping[str, str] | None = None,
    first: int | None = None,
    join: str | None = None,
    questions: str | Path | None = None,
) -> Reader:
    """Make the `table` reader.

    Args:
        fields: Field of a question or trace -> path in a row.
        first: Where positions of gold answers start (0 or 1), if the file does not show it.
        join: `REPLY_FIELD=QUESTION_FIELD`, where the questions are in another file.
        questions: That file.
    """
    return Table(fields, first, join, questions)
