"""Which field of a table is what: a proposal made from names and contents, which the user sees and can overrule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import NamedTuple

from tracejury.traces.tables import names
from tracejury.traces.tables.conversations import exchange_in
from tracejury.traces.tables.field_paths import API_FIELDS, NO_ARMS, inside_messages, is_named_gold
from tracejury.traces.tables.field_values import (
    are_keyed_options,
    are_marked_options,
    are_texts,
    contains,
    is_count,
    lists_options,
    names_rows,
    paths_in,
    several_questions,
)
from tracejury.traces.tables.files import WITHOUT_HEADER
from tracejury.traces.tables.gold_fields import GoldFields
from tracejury.traces.tables.options import read_options
from tracejury.traces.tables.profile import TableField, TableProfile

_PROSE = 120
"""Mean number of characters from which an unknown text is taken for prose that should not be passed over."""
_STEM = 12
"""Mean number of characters below which a text is a name, and no question."""
_REPLY = 40
"""Mean number of characters from which a text may be a reply, and not a short answer."""


class Proposal(NamedTuple):
    """Where the fields of questions and traces stand in a table."""

    fields: Mapping[str, str]
    """Field -> path; a value that begins with a colon is meant for all rows."""
    arms: Mapping[str, str]
    """Arm -> path of its replies, where each arm has a column of its own."""
    conversation: bool
    """Whether the question and the reply stand in messages."""
    prompts: bool
    """Whether there are questions in the messages."""
    replies: bool
    """Whether there are replies in the messages."""
    unused: tuple[str, ...]
    """Fields of the table that nothing is read from."""
    question: str | None = None
    """What must be decided by the user before the table can be read."""

    def sentence(self) -> str:
        """Return the proposal in a line."""
        parts = [f"{field} = {path}" for field, path in self.fields.items()]
        if self.conversation:
            read = {"stem": "the last user message"} if self.prompts else {}
            read |= {"text": "the assistant's message"} if self.replies else {}
            parts = [f"{field} = {where}" for field, where in read.items() if field not in self.fields] + parts
        parts += [f"text of arm {arm} = {path}" for arm, path in self.arms.items()]
        return "read as: " + ", ".join(parts)


def propose(profile: TableProfile, mapping: Mapping[str, str], joined: bool = False) -> Proposal:
    """Propose where everything stands; `mapping`, which the user gave, goes before.

    Args:
        profile: The table.
        mapping: Field -> path.
        joined: Whether the questions come from another table.
    """
    return _Proposing(profile, mapping, joined).proposal()


class _Proposing:
    def __init__(self, profile: TableProfile, mapping: Mapping[str, str], joined: bool) -> None:
        self.profile = profile
        self.joined = joined
        self.mapping = mapping
        self.fields = [f for f in profile.fields() if f.filled]
        self.chosen: dict[str, str] = dict(mapping)
        self.arms: dict[str, str] = {}
        self.question: str | None = None
        exchanges = [exchange for row in profile.sample if (exchange := exchange_in(row)) is not None]
        self.replies = sum(bool(exchange.replies) for exchange in exchanges)
        self.prompts = sum(exchange.prompt is not None for exchange in exchanges)
        self.errors = sum(exchange.error is not None for exchange in exchanges)
        self.conversation = bool(exchanges)
        self._has_api_choices = any(
            isinstance(choice, Mapping) and {"message", "finish_reason"} & choice.keys()
            for choice in profile.values("choices.0")
        )

    def proposal(self) -> Proposal:
        if not self.joined:
            self._options()
            if "stem" not in self.chosen and not self.prompts:
                self._stem()
        self._replies()
        if self.joined:
            self._choose("answer", names.ANSWER)
        else:
            self._gold_and_answer()
        for field, known_names in {"id": names.ID, "explanation": names.EXPLANATION, **names.OTHERS}.items():
            self._choose(field, known_names)
        self._check()
        return Proposal(
            self.chosen,
            self.arms,
            self.conversation,
            bool(self.prompts),
            bool(self.replies),
            self._unused(),
            self.question,
        )

    # Choosing by name.

    def _free(self) -> Iterable[TableField]:
        used = self._used_paths()
        # What stands inside a field that is used belongs to it: the key of an option is no id of the question.
        return (
            field
            for field in self.fields
            if not any(field.path == path or field.path.startswith(f"{path}.") for path in used)
            and not self._is_message(field.path)
        )

    def _is_message(self, path: str) -> bool:
        # Options may be called choices, and stand beside messages.
        return self.conversation and inside_messages(path) and not (path == "choices" and not self._has_api_choices)

    def _used_paths(self) -> set[str]:
        return {part for path in (*self.chosen.values(), *self.arms.values()) for part in paths_in(path)}

    def _candidates(self, known_names: tuple[str, ...], kinds: tuple[str, ...] = ()) -> list[TableField]:
        fields = [f for f in self._free() if names.plain(f.path) in known_names and (not kinds or f.kind in kinds)]
        # The order of the names decides, then what stands less deep.
        return sorted(fields, key=lambda f: (known_names.index(names.plain(f.path)), f.path.count(".")))

    def _ending_with(self, endings: tuple[str, ...]) -> list[TableField]:
        """Return the long texts whose names end so."""
        fields = (f for f in self._free() if f.kind == "text" and f.mean_length >= _REPLY)
        return [f for f in fields if names.plain(f.path).endswith(endings) and not is_named_gold(f.path)]

    def _choose(self, field: str, known_names: tuple[str, ...]) -> None:
        if field in self.chosen:
            return
        kinds = {"sample": ("number",), "hint_used": ("truth value",), "prompt_tokens": ("number",)}
        kinds["completion_tokens"] = ("number",)
        candidates = self._candidates(known_names, kinds.get(field, ("text", "number")))
        candidates = [c for c in candidates if self._holds_for_row(c)]
        if field in ("model", "arm", "source", "split", "finish_reason"):
            candidates = [c for c in candidates if c.kind == "text" and c.mean_length <= 80]
        if field == "sample":
            candidates = [c for c in candidates if all(is_count(v) for v in self.profile.values(c.path))] or [
                c
                for c in self._candidates(known_names, ("text",))
                if all(is_count(v) for v in self.profile.values(c.path))
            ]
        if field == "id":
            candidates = [c for c in candidates if c.mean_length <= 100 and names_rows(self.profile, c.path)]
        if candidates:
            self.chosen[field] = candidates[0].path

    def _holds_for_row(self, field: TableField) -> bool:
        """Whether a value holds for the row: the first element's of a list does only where the question is there."""
        beside_stem = field.path.rpartition(".")[0] == self.chosen.get("stem", "").rpartition(".")[0]
        return ".0." not in field.path or beside_stem

    # The question.

    def _options(self) -> None:
        if "options" in self.chosen:
            return
        for candidate in self._candidates(names.OPTIONS, ("list", "object", "text")):
            values = self.profile.values(candidate.path)
            if sum(bool(read_options(value)) for value in values) * 2 >= len(values):
                self.chosen["options"] = candidate.path
                return
        for field in self._free():
            values = self.profile.values(field.path)
            is_choice = names.plain(field.path) in names.ALTERNATIVES and are_keyed_options(values)
            if field.kind == "list" and (is_choice or are_marked_options(values)):
                self.chosen["options"] = field.path
                return
        columns: dict[str, dict[str, str]] = {}
        for field in self.fields:
            prefix, _, name = field.path.rpartition(".")
            if (key := names.option_column(name)) and field.kind in ("text", "number"):
                columns.setdefault(prefix, {})[key] = field.path
        for columns_by_key in columns.values():
            if any(columns_by_key.keys() >= set(first_two) for first_two in ("AB", "01", "12")):
                self.chosen["options"] = ",".join(columns_by_key[key] for key in sorted(columns_by_key))
                return

    def _stem(self) -> None:
        candidates = [c for c in self._candidates(names.STEM, ("text",)) if c.mean_length >= _STEM]
        candidates = candidates or self._ending_with(names.STEM_ENDINGS)
        candidates = candidates or [c for c in self._candidates(names.ITEM, ("text",)) if self._is_long(c)]
        if not candidates:
            return
        first = candidates[0]
        by_name = {names.plain(c.path): c.path for c in candidates}
        if names.plain(first.path) in ("input", "instruction", "prompt") and {"instruction", "input"} <= set(by_name):
            # Alpaca's form: the instruction is the same for all rows, or the question, with an input that may be empty.
            constant = len({str(v) for v in self.profile.values(by_name["instruction"])}) == 1
            self.chosen["stem"] = by_name["input"] if constant else f"{by_name['instruction']}+{by_name['input']}"
            return
        self.chosen["stem"] = first.path
        if "options" not in self.chosen and not lists_options(self.profile, first.path):
            # The prompt as it was sent may have the options that the question itself lacks.
            texts = [f for f in self._free() if f.kind == "text" and f.mean_length > first.mean_length]
            fuller = [
                f for f in texts if contains(self.profile, f.path, first.path) and lists_options(self.profile, f.path)
            ]
            if fuller:
                self.chosen["stem"] = fuller[0].path
                return
        vignettes = [c for c in self._candidates(names.VIGNETTE, ("text", "list")) if c.mean_length > _REPLY]
        if vignettes and not contains(self.profile, first.path, vignettes[0].path):
            self.chosen["stem"] = f"{vignettes[0].path}+{first.path}"

    # The reply.

    def _replies(self) -> None:
        if "text" in self.chosen or "steps" in self.chosen:
            return
        if self._takes_preferences() or self.replies:
            return
        reasoning = [c for c in self._candidates(names.REASONING) if self._is_reply(c)]
        replies = self._without_copies([c for c in self._candidates(names.REPLY) if self._is_reply(c)])
        if not reasoning and self._takes_arms_or_steps(replies):
            return
        if not reasoning and not replies:
            named = ("answer", "solution", *names.ANSWER)
            replies = [c for c in self._candidates(named) if self._is_long(c)] or self._ending_with(names.REPLY_ENDINGS)
        if len(replies) > 1:
            listed = " or ".join(c.path for c in replies[:4])
            self.question = f"several fields may be the reply; say which: --map text={replies[0].path} ({listed})"
        elif reasoning:
            self.chosen["text"] = reasoning[0].path
            closing = [c for c in self._candidates(("answer", *names.ANSWER), ("text",)) if self._is_long(c)]
            closing = closing or [
                c for c in self._ending_with(names.CLOSING_ENDINGS) if names.plain(c.path) not in names.CLOSING_ENDINGS
            ]
            for final in (replies or self._candidates(names.REPLY, ("text",)) or closing)[:1]:
                self.chosen.setdefault("final", final.path)
        elif replies:
            self.chosen["text"] = replies[0].path

    def _takes_arms_or_steps(self, replies: list[TableField]) -> bool:
        """Choose a list of steps, or a column an arm, where the replies stand in these."""
        steps = [c for c in self._candidates(names.STEPS, ("list",)) if are_texts(self.profile.values(c.path))]
        if steps and not replies:
            self.chosen["steps"] = steps[0].path
            return True
        arms = self._columns_of_arms() or self._parts_of_an_object()
        if len(arms) > 1 and {reply.path for reply in replies} <= set(arms.values()):
            self.arms = arms
            return True
        return False

    def _takes_preferences(self) -> bool:
        """Choose both replies of a preference pair; each is an arm of its own."""
        pair = {f.path: f.path for f in self._free() if f.path in ("chosen", "rejected") and self._is_reply(f)}
        if len(pair) == 2:
            self.arms, self.replies = pair, 0
        return bool(self.arms)

    def _is_reply(self, field: TableField) -> bool:
        if field.kind == "list":
            values = [v for value in self.profile.values(field.path) if isinstance(value, list) for v in value]
            return bool(values) and all(isinstance(v, str | dict | list) or v is None for v in values)
        return field.kind == "text" and field.mean_length >= _REPLY / 2

    def _is_long(self, field: TableField) -> bool:
        return field.kind == "text" and field.mean_length >= _REPLY

    def _without_copies(self, fields: list[TableField]) -> list[TableField]:
        """Leave out a field whose words another one contains, or that stands inside another; the fuller one stays."""
        fields = [f for f in fields if not any(f.path.startswith(f"{other.path}.") for other in fields)]
        fields = [f for f in fields if not (names.plain(f.path) == "text" and self._holds_stem(f) and len(fields) > 1)]
        return [
            f
            for i, f in enumerate(fields)
            if not any(
                contains(self.profile, o.path, f.path) and (j < i or not contains(self.profile, f.path, o.path))
                for j, o in enumerate(fields)
                if i != j
            )
        ]

    def _holds_stem(self, field: TableField) -> bool:
        stem = self.chosen.get("stem")
        return stem is not None and contains(self.profile, field.path, stem.split("+")[-1])

    def _parts_of_an_object(self) -> dict[str, str]:
        """Return the replies of several arms in one object: `responses: {base: ..., student: ...}`."""
        for field in self._candidates(names.REPLY, ("object",)):
            parts = [f for f in self.fields if f.path.rpartition(".")[0] == field.path]
            if len(parts) > 1 and all(self._is_long(part) for part in parts):
                return {part.path.rpartition(".")[2]: part.path for part in parts}
        return {}

    def _columns_of_arms(self) -> dict[str, str]:
        arms: dict[str, str] = {}
        for field in self._free():
            arm = names.arm_of_column(field.path)
            if arm and field.kind == "text" and field.mean_length >= _REPLY and arm.lower() not in NO_ARMS:
                arms.setdefault(arm, field.path)
        return arms

    # Gold and answer.

    def _gold_and_answer(self) -> None:
        if "answer" not in self.chosen:
            answers = self._candidates(names.ANSWER, ("text", "number", "list"))
            if answers and answers[0].mean_length <= _PROSE:
                self.chosen["answer"] = answers[0].path
        beside = GoldFields(self.profile, self.chosen)
        golds = [c for c in self._candidates(names.GOLD, ("text", "number", "list")) if beside.may_be_gold(c)]
        golds = [c for c in golds if self._holds_for_row(c)]
        if "gold" not in self.chosen and golds:
            # A field whose values are the options' keys or words goes before one that only has the better name.
            fitting = [c for c in golds if beside.fits_options(c)]
            self.chosen["gold"] = (fitting or golds)[0].path
            golds = [c for c in golds if c.path != self.chosen["gold"]]
        if "gold" not in self.chosen and (by_value := beside.holding_keys(self._free())) is not None:
            self.chosen["gold"] = by_value
        for named in [c.path for c in golds if names.plain(c.path) in ("answer", "answers")][:1]:
            if "answer" not in self.chosen and not beside.says_the_same(named, self.chosen.get("gold")):
                self.chosen["answer"] = named

    # What is left over.

    def _unused(self) -> tuple[str, ...]:
        used = self._used_paths()
        tops = {path.split(".")[0] for path in used}
        return tuple(
            field.path
            for field in self.fields
            if (field.path not in tops if "." not in field.path else self._is_unused_part(field, used, tops))
            and not (self.conversation and (inside_messages(field.path) or field.path in API_FIELDS))
        )

    def _is_unused_part(self, field: TableField, used: set[str], tops: set[str]) -> bool:
        """Whether a value inside an object, other parts of which are read, is read by nothing."""
        return (
            not self.conversation
            and field.path.split(".")[0] in tops
            and field.kind not in ("object", "list")
            and ".0." not in field.path
            and not any(field.path == path or field.path.startswith(f"{path}.") for path in used)
        )

    def _proposed_stem(self) -> str:
        return "" if "stem" in self.mapping else self.chosen.get("stem", "")

    def _check(self) -> None:
        if self.question is not None or (self.errors and not self.replies):
            return
        if (place := several_questions(self.profile, self._proposed_stem())) is not None:
            each = "[]".join(part if part.startswith(".") else f".{part}" for part in place.split(".0"))
            self.question = (
                f"a row holds several questions in {place!r}, and one a row is read; write one a row, such as with "
                f"jq -c '{each}[]' FILE, or choose one with --map stem={self.chosen['stem']}"
            )
            return
        listed = ", ".join(f.path for f in self.fields if ".0." not in f.path)[:300]
        if "stem" not in self.chosen and not self.prompts and not self.joined:
            if self.replies or "text" in self.chosen or self.arms:
                self.question = (
                    "the replies have no questions beside them; name the file of the questions with --questions FILE "
                    f"(and --join FIELD=FIELD), or the field with --map stem=FIELD; the fields are {listed}"
                )
            else:
                self.question = (
                    f"no field is known as the question; name it with --map stem=FIELD; the fields are {listed}"
                )
            if all(field.path.startswith(WITHOUT_HEADER) for field in self.fields):
                columns = ", ".join(f"{f.path} ({f.example[:24]})" for f in self.fields)
                self.question = (
                    "the file has no header line; name its columns with --map stem=..., options=...,..., gold=... and "
                    f"text=... (text=: where no column holds a model's replies): {columns}; `tracejury read mmlu FILE` "
                    "reads MMLU's questions"
                )
            return
        if not self.replies and "text" not in self.chosen and "steps" not in self.chosen and not self.arms:
            prose = [f for f in self._free() if f.kind == "text" and f.mean_length >= _PROSE]
            prose = [f for f in prose if f.path not in names.EXPLANATION and self.profile.has_column(f.path)]
            if prose:
                holding = " and ".join(repr(field.path) for field in prose[:3])
                self.question = (
                    f"no field is known as the reply; long text is in {holding}; say --map "
                    f"{quote('text=' + prose[0].path)}, or --map text=: where the file has questions alone"
                )
