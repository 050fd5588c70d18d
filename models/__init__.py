"""The gateway: every chat and embedding call of the project goes through this folder.

Endpoints, call store and response cache, limits, prices, the network guard, the embedded server, ONNX sessions and
the download of weights. Public names are listed in `__init__.pyi` and loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
