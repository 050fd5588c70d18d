"""Knowledge sources: the register, and the built-in ones, a module each.

Built-ins and strangers' packages register the same way, by the entry point group `tracejury.sources`. No source is
imported here: the entry points name their modules. `make(name, **params)` makes one, `entries()` lists them.
"""

from tracejury.retrieval.records import Source
from tracejury.traces import Registry

register: Registry[Source] = Registry("tracejury.sources", "knowledge source")
make = register.make
entries = register.entries
