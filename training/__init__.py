"""Students: teacher traces, SFT corpus, training with Unsloth or TRL, sampling; and the recipe of the verifier.

The modules are scripts that are read from top to bottom. `__init__.pyi` lists the public names, which load on first
use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
