"""Checkers: what decides how evidence stands to a claim, how sure one must be, and which citations count.

A checker sees a claim and up to three sentences, neither a label nor a judge. `__init__.pyi` lists the public names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
