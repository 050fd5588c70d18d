"""Where bytes are kept: the database engine, its writer thread, waiting for a lost server.

The ground floor: it knows nothing of medicine. Public names are listed in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
