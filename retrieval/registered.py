"""What is registered by entry point: knowledge sources. Built-ins and strangers' packages come the same way."""

from tracejury.retrieval.records import Source
from tracejury.traces import Registry

sources: Registry[Source] = Registry("tracejury.sources", "knowledge source")
