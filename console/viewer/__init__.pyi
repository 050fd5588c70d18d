from .app import create_app
from .finding import comparison_sides
from .publish import publish

__all__ = ["comparison_sides", "create_app", "publish"]
