from .builder import Order
from .watching import preview_course

__all__ = ["Order", "preview_course"]
