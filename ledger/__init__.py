"""The run ledger: its schema and migrations, writing and reading it, export rows, statistics a trace, expert reviews.

The unit of commit is the deliberation of a step. Public names are listed in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
