"""Looking up keys that mostly come in the order in which they were inserted."""

from __future__ import annotations

from typing import Generic

from tracejury.storage.key_value import KeyValueStore, Value

_MOST = 128


class OrderedLookup(Generic[Value]):
    """Values of a table by key, read ahead in groups where keys are asked in the order of insertion.

    One query for a group costs a fifth of one for each key. A value that is replaced later may be returned as it was.
    """

    def __init__(self, store: KeyValueStore[Value], table: str) -> None:
        self._store: KeyValueStore[Value] = store
        self._table = table
        self._ahead: dict[str, Value] = {}
        self._next_number = 0
        """Number of the entry that follows those read ahead."""
        self._group = 1

    def get(self, key: str) -> Value | None:
        """Return the value of `key`, or None."""
        value = self._ahead.get(key)
        if value is not None:
            return value
        entries = self._store.get_following(self._table, key, self._group)
        if not entries:
            return None
        self._group = min(2 * self._group, _MOST) if entries[0].number == self._next_number else 1
        self._next_number = entries[-1].number + 1
        self._ahead = {entry.key: entry.value for entry in entries}
        return entries[0].value
