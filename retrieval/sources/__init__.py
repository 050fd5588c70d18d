"""Knowledge sources: the register, and the built-in ones, a module each.

Built-ins and strangers' packages register the same way, by the entry point group `tracejury.sources`. No source is
imported here: the entry points name their modules. `make(name, **params)` makes one, `entries()` lists them.
"""

from tracejury.retrieval.guarded import guard_source
from tracejury.retrieval.records import Source
from tracejury.traces import Contract, Registry

SOURCE = Contract({"name": str, "license": str}, "documents", arguments=0)
register: Registry[Source] = Registry("tracejury.sources", "knowledge source", SOURCE, guard_source)
make = register.make
entries = register.entries
