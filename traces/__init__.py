"""Questions, traces and steps: records, readers, answer extraction, segmentation, roles, style-blinding, hedging.

The ground floor: it knows nothing of models or judges. Public names are listed in `__init__.pyi`, loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
