"""One module a published format: each holds a reader, found by its entry point (`tracejury.readers`)."""
