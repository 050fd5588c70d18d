"""Judges, the panel they sit on, the verdict policy, the resolver, and their prompts.

A judge sees a case and nothing else; the policy is pure functions. Public names are listed in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
