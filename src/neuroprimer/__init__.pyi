from .errors import NeuroprimerError
from .teaching import lesson

__all__ = ["NeuroprimerError", "lesson"]
