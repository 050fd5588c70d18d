"""Tests for plug-ins: sample records, a fake way to a model, and the checks that `tracejury check PACKAGE` runs.

Packages of plug-ins import it as `tracejury.testing`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
