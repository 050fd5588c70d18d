"""Storage of bytes: database engine, writer thread, reconnection, atomic files and key-value tables.

The ground floor: it knows nothing of medicine and imports no other folder. Public names are listed in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
