from .engine import StoreError, hidden, insert_new, open_engine, opened
from .reconnecting import patiently
from .writer import Writer

__all__ = [
    "StoreError",
    "Writer",
    "hidden",
    "insert_new",
    "open_engine",
    "opened",
    "patiently",
]
