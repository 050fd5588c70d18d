"""The built-in knowledge sources, one module each. Nothing is imported here: the entry points name the modules."""
