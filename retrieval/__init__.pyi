from .records import Document, Hit, Passage, Source, Withheld

__all__ = ["Document", "Hit", "Passage", "Source", "Withheld"]
