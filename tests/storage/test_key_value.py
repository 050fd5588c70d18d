"""Keys and values on disk: in the order of insertion, shared between threads and processes, or gone with the object."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tracejury.storage import KeyValueStore, OrderedLookup


@pytest.mark.parametrize("kept", [True, False], ids=["file", "temporary"])
def test_it_behaves_like_a_dictionary_that_remembers_its_order(tmp_path: Path, kept: bool) -> None:
    with KeyValueStore[str]("a", "b", path=tmp_path / "sub" / "s.db" if kept else None) as store:
        keys = [f"k{i * 7919 % 1000}" for i in range(1000)]
        assert all(store.add("a", key, key.upper()) for key in keys)
        assert not store.add("a", "k0", "other")
        store.replace("a", {"k1": "changed", "fresh": "x"})
        assert (store.count("a"), store.count("b")) == (1001, 0)
        assert (store.get("a", "k0"), store.get("a", "k1"), store.get("a", "none")) == ("K0", "changed", None)
        assert store.get_many("a", [*keys, "none"]) == {k: "changed" if k == "k1" else k.upper() for k in keys}
        read, number = [], 0
        while entries := store.after("a", number, 300):
            read += [entry.key for entry in entries]
            number = entries[-1].number
        assert read == [*keys, "fresh"]


def test_two_objects_on_one_file_see_each_others_values(tmp_path: Path) -> None:
    one, other = (KeyValueStore[bytes]("a", path=tmp_path / "s.db") for _ in range(2))
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda pair: pair[0].replace("a", {pair[1]: b"\x00"}),
                zip(itertools.cycle([one, other]), map(str, range(200))),
            )
        )
    assert one.count("a") == other.count("a") == 200
    one.close()
    other.close()


def test_keys_are_found_in_order_and_out_of_it_and_while_others_are_added() -> None:
    with KeyValueStore[str]("a") as store:
        lookup = OrderedLookup(store, "a")
        keys = [f"k{i * 7919 % 1000}" for i in range(1000)]
        for key in keys[:900]:
            store.add("a", key, key.upper())
        assert lookup.get(keys[900]) is None
        for key in keys[900:]:
            store.add("a", key, key.upper())
        orders = [keys, keys[::-1], keys[500:] + keys[:500], [key for key in keys for _ in range(2)]]
        assert all(lookup.get(key) == key.upper() for order in orders for key in order)
        assert lookup.get("none") is None
