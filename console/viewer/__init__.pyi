from .app import create_app
from .publish import publish

__all__ = ["create_app", "publish"]
