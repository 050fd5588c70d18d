"""Which field of a table may hold gold answers, seen from its values beside the options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tracejury.traces.tables import names
from tracejury.traces.tables.conversations import exchange_in
from tracejury.traces.tables.field_values import are_keys
from tracejury.traces.tables.golds import read_gold
from tracejury.traces.tables.options import split_prompt
from tracejury.traces.tables.paths import lift
from tracejury.traces.tables.profile import TableField, TableProfile
from tracejury.traces.tables.row_parts import read_row_options, stem_text

_KEY = 3
"""Mean number of characters up to which a text may be an option's key."""
_OPTION = 120
"""Mean number of characters up to which a text may be an option's words."""


class GoldFields:
    """The values of a table's fields beside the options of its questions, in the sampled rows."""

    def __init__(self, profile: TableProfile, fields: Mapping[str, str]) -> None:
        self._profile = profile
        self._rows = [(row, _options(row, fields)) for row in profile.sample]

    def may_be_gold(self, field: TableField) -> bool:
        """Whether the values of a field with the name of a gold answer are of a kind that gold answers have."""
        values = self._profile.values(field.path)
        if field.kind == "list" and any(
            not isinstance(value, list) or any(isinstance(part, Mapping) for part in value) for value in values
        ):
            return False
        # 0 and 1 under "label" or "correct" are more likely a mark for the reply than a position.
        name, most = names.plain(field.path), max((len(options) for _, options in self._rows), default=0)
        names_a_mark = name == "correct" or (name in ("label", "labels") and most > 2)
        return not (names_a_mark and {str(value).strip() for value in values} <= {"0", "1"} and len(self._rows) > 3)

    def fits_options(self, field: TableField) -> bool:
        """Whether most values name an option, by key, position or text."""
        pairs = [(value, options) for value, options in self._values(field.path) if options]
        golds = [(read_gold(value, options), options) for value, options in pairs]
        fitting = sum(g.position is not None or (g.key or "") in o or are_keys(g.key, o) for g, o in golds)
        return bool(pairs) and fitting * 2 > len(pairs)

    def holding_keys(self, fields: Iterable[TableField]) -> str | None:
        """Return the one of `fields` that names an option in every row that has it, whatever its own name.

        Keys are looked for before texts such as `C) Warfarin`, and nothing is chosen where two fields hold them.
        """
        columns = [field for field in fields if field.kind in ("text", "list") and "." not in field.path]
        keys = [f.path for f in columns if f.mean_length <= _KEY and self._are_all(f.path, _is_key)]
        if not keys:
            keys = [f.path for f in columns if f.mean_length <= _OPTION and self._are_all(f.path, _is_option)]
        return keys[0] if len(keys) == 1 else None

    def _are_all(self, path: str, names_option: Callable[[str, Mapping[str, str]], bool]) -> bool:
        pairs = self._values(path)
        golds = [(value if isinstance(value, list) else [value], options) for value, options in pairs]
        return bool(golds) and all(names_option(str(part), options) for parts, options in golds for part in parts)

    def says_the_same(self, path: str, gold_path: str | None) -> bool:
        """Whether a field named answer is the gold answer in other words, and not what a model answered."""
        same = compared = 0
        for row, options in self._rows:
            value, right = lift(row, path), lift(row, gold_path) if gold_path else None
            if value is not None and right is not None and options:
                first, second = read_gold(value, options), read_gold(right, options)
                compared += 1
                same += first.key == second.key or first.position is not None or second.position is not None
        return compared == 0 or same >= 0.98 * compared

    def _values(self, path: str) -> list[tuple[object, dict[str, str]]]:
        pairs = [(lift(row, path), options) for row, options in self._rows]
        return [(value, options) for value, options in pairs if value is not None and value != ""]


def _is_key(value: str, options: Mapping[str, str]) -> bool:
    return value.strip(" ().").upper() in options


def _is_option(value: str, options: Mapping[str, str]) -> bool:
    return bool(options) and (read_gold(value, options).key or "") in options


def _options(row: Mapping[str, object], fields: Mapping[str, str]) -> dict[str, str]:
    """Return a row's options, from their field or from the question that lists them."""
    if (path := fields.get("options")) is not None:
        return read_row_options(row, path) or {}
    stem, exchange = fields.get("stem"), exchange_in(row)
    prompt = exchange.prompt if exchange is not None and stem is None else stem_text(row, stem or "")
    return split_prompt(prompt)[1] if prompt else {}
