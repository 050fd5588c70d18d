"""Students: teacher traces, SFT corpus, training with Unsloth or TRL, sampling; and the recipe of the verifier.

Scripts one reads top to bottom. Public names are listed in `__init__.pyi` and loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
